/* The ready line, kept in the data folder while the broker runs. */
#include "broker/main/ready.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 512, LINE_SIZE = 256 };

static void path_of(const char *folder, const char *name, char ret[PATH_SIZE])
{
    (void)snprintf(ret, PATH_SIZE, "%s/%s", folder, name);
}

enum result ready_write(const char *folder, const char *http, const char *mllp, struct error *err)
{
    char part[PATH_SIZE], path[PATH_SIZE];
    path_of(folder, "ready.part", part);
    path_of(folder, "ready", path);
    FILE *file = fopen(part, "we");
    if (file == NULL)
        return error_set(err, AGAIN, "%.150s cannot be written (%s)", part, strerror(errno));
    bool written =
        fprintf(file, "ready http=%s%s%s\n", http, mllp == NULL ? "" : " mllp=", mllp == NULL ? "" : mllp) > 0;
    written = fclose(file) == 0 && written;
    if (!written || rename(part, path) != 0) /* whole or not at all, for whoever waits for it */
        return error_set(err, AGAIN, "%.150s cannot be written (%s)", path, strerror(errno));
    return OK;
}

void ready_remove(const char *folder)
{
    char path[PATH_SIZE];
    path_of(folder, "ready", path);
    (void)unlink(path);
}

/* One listens on 0.0.0.0 or [::]; nobody connects to it. */
static void address_read(const char *line, const char *name, char ret[READY_ADDRESS_SIZE])
{
    const char *at = strstr(line, name);
    ret[0] = '\0';
    if (at == NULL)
        return;
    at += strlen(name);
    size_t size = strcspn(at, " \n");
    const char *host = "";
    if (strncmp(at, "0.0.0.0:", 8) == 0 || strncmp(at, "[::]:", 5) == 0) {
        host = *at == '[' ? "[::1]" : "127.0.0.1";
        size_t skip = *at == '[' ? 4 : 7;
        at += skip;
        size -= skip;
    }
    (void)snprintf(ret, READY_ADDRESS_SIZE, "%s%.*s", host, (int)size, at);
}

enum result ready_read(const char *folder, char ret_http[READY_ADDRESS_SIZE], char ret_mllp[READY_ADDRESS_SIZE],
                       struct error *err)
{
    char path[PATH_SIZE], line[LINE_SIZE] = "";
    path_of(folder, "ready", path);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(line, sizeof line, file) == NULL)
            line[0] = '\0';
        (void)fclose(file);
    }
    char http[READY_ADDRESS_SIZE];
    address_read(line, " http=", http);
    if (http[0] == '\0')
        return error_set(err, NOTHING,
                         "no broker runs on the data folder %.120s (%.120s is not there): start one with "
                         "`tidings serve --data`",
                         folder, path);
    (void)snprintf(ret_http, READY_ADDRESS_SIZE, "%s", http);
    address_read(line, " mllp=", ret_mllp);
    return OK;
}
