/* A folder for a while. */
#include "broker/main/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRY_PATH_SIZE = SCRATCH_PATH_SIZE * 2 + 2, DEPTH = 4 };

enum result scratch_make(char ret[SCRATCH_PATH_SIZE], struct error *err)
{
    const char *where = getenv("TMPDIR");
    char path[SCRATCH_PATH_SIZE];
    int size = snprintf(path, sizeof path, "%s/tidings-XXXXXX", where == NULL ? "/var/tmp" : where);
    if (size >= (int)sizeof path || mkdtemp(path) == NULL)
        return error_set(err, REJECTED, "no folder for a while can be made in %.100s (%s): choose another with TMPDIR",
                         where == NULL ? "/var/tmp" : where, strerror(errno));
    memcpy(ret, path, sizeof path);
    return OK;
}

static void folder_remove(const char *path, int depth)
{
    DIR *folder = depth == 0 ? NULL : opendir(path);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char inner[ENTRY_PATH_SIZE];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int size = snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (size < (int)sizeof inner && unlink(inner) != 0)
            folder_remove(inner, depth - 1);
    }
    if (folder != NULL)
        (void)closedir(folder);
    (void)rmdir(path);
}

void scratch_remove(const char *path)
{
    if (path[0] != '\0')
        folder_remove(path, DEPTH);
}
