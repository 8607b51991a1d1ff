/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows one text file as it grows: whole lines out, through rotation (the old file is read
 * to its end first), truncation, deletion and making anew. No clock of its own.
 *
 * Errors: -errno from open: -EINVAL what is no regular file, -EACCES and so on. A file that is
 * not there is no error: it is waited for.
 */
#ifndef SOURCE_LOGFILE_H
#define SOURCE_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOGFILE_LINE_MAX 65536 /* longer lines are skipped and counted */

struct logfile;

/* Begins at the file's end; one that comes to be later is read from its begin. */
int logfile_open(struct logfile **out, const char *path);
void logfile_close(struct logfile *f); /* NULL is fine */

/*
 * Hands out the new whole lines without their end; line is borrowed. At most a few MiB a call,
 * the rest comes with the next ones. now_ns: any clock that runs forward. 0, or -errno of
 * looking for the file anew (-ENOENT: there is none now).
 */
int logfile_poll(struct logfile *f, uint64_t now_ns,
		 void (*on_line)(void *self, const char *line, size_t len), void *self);

/* Lines skipped because they were too long, so far. */
uint64_t logfile_skipped(const struct logfile *f);
const char *logfile_path(const struct logfile *f);
/* Which file it is now; false: there is none. */
bool logfile_id(const struct logfile *f, dev_t *dev, ino_t *ino);

#endif
