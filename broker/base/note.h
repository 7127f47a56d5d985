/* Notes (diagnostics): one `key=value` line each on stderr. Only main and the roles' loops write them; never patient
 * data. */
#pragma once

enum note_level { NOTE_INFO, NOTE_WARNING, NOTE_ERROR };

/* note(NOTE_WARNING, "mllp-refused", "peer=%s why=\"%s\"", peer, reason). what: a fixed word of ours. */
[[gnu::format(printf, 3, 4)]] void note(enum note_level level, const char *what, const char *format, ...);
