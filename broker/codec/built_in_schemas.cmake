# Writes a C table of all schema texts: cmake -D SCHEMAS=<folder> -D OUTPUT=<file> -P built_in_schemas.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB today ${SCHEMAS}/*.avsc)
file(GLOB old ${SCHEMAS}/old/*.avsc)
set(texts "")
set(rows "")
set(count 0)
foreach(path IN LISTS today old)
    get_filename_component(name ${path} NAME)
    set(is_old false)
    if(path IN_LIST old)
        set(is_old true)
    endif()
    file(READ ${path} bytes HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(APPEND texts "static const unsigned char text_${count}[] = {\n${bytes}};\n")
    string(APPEND rows "    {\"${name}\", ${is_old}, {text_${count}, sizeof text_${count}}},\n")
    math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT} "/* Written by built_in_schemas.cmake from schemas/. */
#include \"broker/codec/built_in_schemas.h\"

${texts}
const struct built_in_schema built_in_schemas[] = {
${rows}};
const size_t built_in_schema_count = ${count};
")
