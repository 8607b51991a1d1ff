/* SPDX-License-Identifier: BSD-2-Clause */
/* See logconf.h. */
#include "source/logconf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "source/logconf_impl.h"

#define FDS_MAX 4096 /* descriptors looked at per process: a worker's sockets are many */

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

bool logconf_holds(uint32_t pid, dev_t dev, ino_t ino)
{
	w5_auto(closedirp) DIR *d = NULL;
	const struct dirent *ent;
	char path[64];
	int left = FDS_MAX;
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	d = opendir(path);
	while (d && left-- && (ent = readdir(d))) {
		if (!fstatat(dirfd(d), ent->d_name, &st, 0) && st.st_dev == dev && st.st_ino == ino)
			return true;
	}
	return false;
}

enum w5_log_kind logconf_kind(const char *comm)
{
	static const struct {
		const char *comm;
		enum w5_log_kind kind;
	} kinds[] = {
		{ "nginx", W5_LOG_NGINX },    { "openresty", W5_LOG_NGINX },
		{ "angie", W5_LOG_NGINX },    { "haproxy", W5_LOG_HAPROXY },
		{ "apache2", W5_LOG_APACHE }, { "httpd", W5_LOG_APACHE },
		{ "caddy", W5_LOG_CADDY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kinds[i].comm, comm))
			return kinds[i].kind;
	}
	return 0;
}

/* ---- for logconf_nginx.c and logconf_apache.c ---- */

void conf_init(struct conf *c, const struct logconf *what, struct logconf_found *found)
{
	memset(c, 0, sizeof(*c));
	memset(found, 0, sizeof(*found));
	c->c = what;
	c->found = found;
	snprintf(c->root, sizeof(c->root), "/proc/%u/root", what->pid);
}

static bool place(const struct conf *c, char *out, size_t cap, const char *path)
{
	int n = *path == '/' ? snprintf(out, cap, "%s%s", c->root, path)
			     : snprintf(out, cap, "%s%s/%s", c->root, c->base, path);

	return n > 0 && (size_t)n < cap;
}

static char *read_whole(const char *path, size_t max, size_t *len)
{
	w5_auto(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = fd < 0 ? NULL : malloc(max + 1);
	size_t have = 0;
	ssize_t n;

	if (!text)
		return NULL;
	while (have < max && (n = read(fd, text + have, max - have)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	*len = have;
	return text;
}

char *conf_read(struct conf *c, const char *path)
{
	char full[PATH_MAX];
	size_t len;

	if (c->files++ >= CONF_FILES_MAX || !place(c, full, sizeof(full), path))
		return NULL;
	return read_whole(full, CONF_BYTES_MAX, &len);
}

void conf_include(struct conf *c, const char *pattern, void (*fn)(struct conf *, const char *path))
{
	char full[PATH_MAX];
	size_t skip = strlen(c->root);
	glob_t g = { 0 };

	if (c->depth >= CONF_DEPTH_MAX || !place(c, full, sizeof(full), pattern))
		return;
	c->depth++;
	if (!glob(full, 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc; i++)
			fn(c, g.gl_pathv[i] + skip);
	}
	globfree(&g);
	c->depth--;
}

bool conf_is_log(const struct conf *c, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	return place(c, full, sizeof(full), path) && !stat(full, &st) && st.st_dev == c->c->dev &&
	       st.st_ino == c->c->ino;
}

void conf_want(struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->nwanted; i++) {
		if (!strcmp(c->wanted[i], name))
			return;
	}
	if (c->nwanted < ARRAY_SIZE(c->wanted))
		snprintf(c->wanted[c->nwanted++], sizeof(c->wanted[0]), "%s", name);
}

void conf_define(struct conf *c, const char *name, const char *text)
{
	struct conf_format *f = &c->formats[c->nformats];

	if (c->nformats == CONF_FORMATS_MAX)
		return;
	f->text = strdup(text);
	if (!f->text)
		return;
	snprintf(f->name, sizeof(f->name), "%s", name);
	c->nformats++;
}

static int make(struct conf *c, struct logfmt **out, enum w5_log_kind kind, const char *name,
		const char *combined)
{
	char err[LOGFMT_ERR_MAX];

	for (size_t i = c->nformats; i-- > 0;) { /* the last definition counts */
		if (!strcmp(c->formats[i].name, name))
			return logfmt_new(out, kind, c->formats[i].text, err);
	}
	return strcmp(name, "combined") ? -ENOENT : logfmt_named(out, combined);
}

int conf_finish(struct conf *c, enum w5_log_kind kind, const char *combined)
{
	struct logconf_found *f = c->found;

	for (size_t i = 0; i < c->nwanted; i++) {
		if (make(c, &f->fmt[f->n], kind, c->wanted[i], combined))
			continue;
		snprintf(f->name, sizeof(f->name), "%s", c->wanted[i]);
		f->n++;
	}
	for (size_t i = 0; i < c->nformats; i++)
		free(c->formats[i].text);
	return f->n ? 0 : -ENOENT;
}

/* nginx's master writes its own title: "nginx: master process /usr/sbin/nginx -c FILE". So the
 * words are taken apart at blanks, too. */
bool conf_argument(const struct conf *c, char flag, char *out, size_t cap)
{
	char path[64], *save = NULL, *next = NULL;
	w5_auto(freep) char *text = NULL;
	bool found = false;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", c->c->pid);
	text = read_whole(path, 8192, &len);
	if (!text)
		return false;
	for (size_t i = 0; i < len; i++)
		text[i] = text[i] ? text[i] : ' ';
	for (char *w = strtok_r(text, " ", &save); w; w = next) {
		next = strtok_r(NULL, " ", &save);
		if (w[0] != '-' || w[1] != flag || (!w[2] && !next))
			continue;
		snprintf(out, cap, "%s", w[2] ? w + 2 : next);
		found = true;
	}
	return found;
}
