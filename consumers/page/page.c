/* Finds a file of the page by its path. */
#include "consumers/page/page.h"

#include "consumers/page/bytes.h"

bool page_find(struct view path, struct view *ret_body, const char **ret_content_type)
{
    const struct {
        const char *path, *content_type;
        struct view body;
    } files[] = {
        {"/", "text/html; charset=utf-8", {page_html, page_html_size}},
        {"/page.css", "text/css; charset=utf-8", {page_css, page_css_size}},
        {"/page.js", "text/javascript; charset=utf-8", {page_js, page_js_size}},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (view_is_text(path, files[i].path)) {
            *ret_body = files[i].body;
            *ret_content_type = files[i].content_type;
            return true;
        }
    }
    return false;
}
