/* The bytes of the page's files, written by embed.cmake at build. Inside this room only. */
#pragma once

#include <stddef.h>

extern const unsigned char page_html[], page_css[], page_js[];
extern const size_t page_html_size, page_css_size, page_js_size;
