/* SPDX-License-Identifier: BSD-2-Clause */
/* What reading nginx's and Apache's configuration have in common. */
#ifndef SOURCE_LOGCONF_IMPL_H
#define SOURCE_LOGCONF_IMPL_H

#include "source/logconf.h"

#define CONF_PATH_MAX	 512
#define CONF_WORDS_MAX	 64
#define CONF_WORD_MAX	 2048
#define CONF_FORMATS_MAX 32
#define CONF_FILES_MAX	 512 /* files read: includes may go in circles */
#define CONF_BYTES_MAX	 (1 << 20)
#define CONF_DEPTH_MAX	 8

struct conf_format {
	char name[64];
	char *text;
};

struct conf {
	const struct logconf *c;
	char root[32];		  /* /proc/PID/root */
	char base[CONF_PATH_MAX]; /* what relative names are relative to, inside root */
	unsigned int files, depth;
	struct conf_format formats[CONF_FORMATS_MAX];
	size_t nformats;
	char wanted[LOGCONF_FORMATS][64]; /* names of formats this log is written in */
	size_t nwanted;
	struct logconf_found *found;
	struct logconf_peers *peers; /* wanted instead of formats, or NULL */
};

/* The whole file inside root, NUL-terminated, to free(); NULL = cannot be read. */
char *conf_read(struct conf *c, const char *path);
/* Calls fn for each file that the pattern names, relative to base. */
void conf_include(struct conf *c, const char *pattern, void (*fn)(struct conf *, const char *path));
/* Is this name, relative to base, the log in question? */
bool conf_is_log(const struct conf *c, const char *path);
void conf_want(struct conf *c, const char *name);
void conf_define(struct conf *c, const char *name, const char *text);
/* Compiles what is wanted; combined: the word for the name of the format built in. */
int conf_finish(struct conf *c, enum w5_log_kind kind, const char *combined);
/* The value of "-c value" or "-cvalue" on the command line. */
bool conf_argument(const struct conf *c, char flag, char *out, size_t cap);
void conf_init(struct conf *c, const struct logconf *what, struct logconf_found *found);

#endif
