/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nginx's configuration, as far as it names log formats: log_format, access_log, include.
 * Blocks are not told apart: a name of a format is the same everywhere.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "source/logconf_impl.h"

static const char *const places[] = { "/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf",
				      "/usr/local/openresty/nginx/conf/nginx.conf",
				      "/usr/local/etc/nginx/nginx.conf", "/etc/angie/angie.conf" };

struct statement {
	char *word[CONF_WORDS_MAX]; /* into buf */
	size_t n, used;
	char buf[CONF_WORD_MAX * 2];
};

static void word_begin(struct statement *st)
{
	if (st->n < CONF_WORDS_MAX)
		st->word[st->n++] = st->buf + st->used;
}

static void word_put(struct statement *st, char c)
{
	if (st->used + 2 < sizeof(st->buf))
		st->buf[st->used++] = c;
}

static void word_end(struct statement *st)
{
	if (st->used + 1 < sizeof(st->buf))
		st->buf[st->used++] = '\0';
}

/* One word from s on; what a backslash stands before stays with it: formats know it. */
static const char *take_word(struct statement *st, const char *s)
{
	char quote = *s == '\'' || *s == '"' ? *s++ : '\0';

	word_begin(st);
	while (*s) {
		if (quote ? *s == quote : isspace((unsigned char)*s) || *s == ';' || *s == '{')
			break;
		if (*s == '$' && s[1] == '{') { /* not a block */
			word_put(st, *s++);
		} else if (*s == '\\' && s[1]) {
			word_put(st, *s++);
		}
		word_put(st, *s++);
	}
	word_end(st);
	return quote && *s ? s + 1 : s;
}

/* The code of ..._by_lua_block { } is no configuration. */
static const char *skip_block(const char *s)
{
	int depth = 1;

	for (; *s && depth; s++)
		depth += (*s == '{') - (*s == '}');
	return s;
}

static void read_file(struct conf *c, const char *path);

static void on_log_format(struct conf *c, const struct statement *st)
{
	size_t i = 2, n = 0, len;
	char *text;

	if (st->n > 2 && !strncmp(st->word[2], "escape=", 7))
		i++;
	text = calloc(1, sizeof(st->buf));
	for (; text && i < st->n; i++) {
		len = strlen(st->word[i]);
		memcpy(text + n, st->word[i], len);
		n += len;
	}
	if (text && n)
		conf_define(c, st->word[1], text);
	free(text);
}

static void on_access_log(struct conf *c, const struct statement *st)
{
	char above[CONF_PATH_MAX];
	size_t i = 2;

	/* Relative names are relative to the prefix, mostly the directory above. */
	snprintf(above, sizeof(above), "../%.500s", st->word[1]);
	if (!conf_is_log(c, st->word[1]) && (st->word[1][0] == '/' || !conf_is_log(c, above)))
		return;
	while (i < st->n && strchr(st->word[i], '=')) /* buffer=, gzip=, flush=, if= */
		i++;
	conf_want(c, i < st->n ? st->word[i] : "combined");
}

/* ---- where requests are sent ---- */

static void add_peer(struct logconf_peers *p, const char *name, size_t len, uint16_t port,
		     bool is_group)
{
	struct logconf_peer *x;

	if (!len || len >= LOGCONF_NAME_MAX)
		return;
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].port == port && p->v[i].is_group == is_group &&
		    strlen(p->v[i].name) == len && !strncasecmp(p->v[i].name, name, len))
			return;
	}
	if (p->n == LOGCONF_PEERS) {
		p->is_cut = true;
		return;
	}
	x = &p->v[p->n++];
	memset(x, 0, sizeof(*x));
	memcpy(x->name, name, len);
	x->port = port;
	x->is_group = is_group;
}

/* "NAME", "NAME:80", "[::1]:80"; what follows a slash is a path. */
static void on_address(struct logconf_peers *p, const char *s, uint16_t port)
{
	size_t len = strcspn(s, "/"), host;
	unsigned long n;

	if (!strncmp(s, "unix:", 5))
		return;
	host = *s == '[' ? strcspn(s, "]") + 1 : strcspn(s, ":/");
	if (host < len && s[host] == ':') {
		n = strtoul(s + host + 1, NULL, 10);
		port = n > 0 && n < 65536 ? (uint16_t)n : 0;
	}
	if (*s == '[' && host > 2)
		add_peer(p, s + 1, host - 2, port, false);
	else
		add_peer(p, s, host, port, false);
}

static bool ends_in(const char *word, const char *end)
{
	size_t n = strlen(word), m = strlen(end);

	return n > m && !strcmp(word + n - m, end);
}

static void on_peer(struct logconf_peers *p, const struct statement *st)
{
	const char *word = st->word[0], *to = st->word[1];
	const char *scheme = strstr(to, "://");
	bool is_tls = !strncmp(to, "https:", 6) || !strncmp(to, "grpcs:", 6);

	if (!strcmp(word, "upstream")) {
		add_peer(p, to, strlen(to), 0, true);
	} else if (!strcmp(word, "server")) {
		for (size_t i = 2; i < st->n; i++)
			p->is_dynamic = p->is_dynamic || !strcmp(st->word[i], "resolve");
		on_address(p, to, 80);
	} else if (!strncmp(word, "balancer_by_lua", 15)) {
		p->is_dynamic = true;
	} else if (ends_in(word, "_pass") && strcmp(word, "fastcgi_pass_header")) {
		if (strchr(to, '$'))
			p->is_dynamic = true;
		else
			on_address(p, scheme ? scheme + 3 : to, is_tls ? 443 : 80);
	}
}

static void on_statement(struct conf *c, const struct statement *st)
{
	if (st->n < 2)
		return;
	if (c->peers && strcmp(st->word[0], "include")) {
		on_peer(c->peers, st);
		return;
	}
	if (!strcmp(st->word[0], "include"))
		conf_include(c, st->word[1], read_file);
	else if (!strcmp(st->word[0], "log_format"))
		on_log_format(c, st);
	else if (!strcmp(st->word[0], "access_log"))
		on_access_log(c, st);
}

static void read_file(struct conf *c, const char *path)
{
	w5_auto(freep) struct statement *st = calloc(1, sizeof(*st));
	w5_auto(freep) char *text = conf_read(c, path);
	const char *s = text;

	while (st && s && *s) {
		if (*s == '#') {
			s += strcspn(s, "\n");
		} else if (*s == ';' || *s == '{' || *s == '}') {
			size_t len = st->n ? strlen(st->word[0]) : 0;
			bool is_lua = len > 13 && !strcmp(st->word[0] + len - 13, "_by_lua_block");

			on_statement(c, st);
			s = *s == '{' && is_lua ? skip_block(s + 1) : s + 1;
			st->n = st->used = 0;
		} else if (isspace((unsigned char)*s)) {
			s++;
		} else {
			s = take_word(st, s);
		}
	}
}

static void set_base(struct conf *c, const char *path)
{
	const char *slash = strrchr(path, '/');

	snprintf(c->base, sizeof(c->base), "%.*s", slash ? (int)(slash - path) : 0, path);
}

static bool is_read(const struct conf *c)
{
	return c->peers ? c->peers->n > 0 : c->nwanted > 0;
}

static void read_all(struct conf *c, struct logconf_found *found)
{
	char path[CONF_PATH_MAX], prefix[CONF_PATH_MAX / 2], file[CONF_PATH_MAX / 2];

	if (!conf_argument(c, 'p', prefix, sizeof(prefix)))
		*prefix = '\0';
	if (conf_argument(c, 'c', file, sizeof(file))) {
		snprintf(path, sizeof(path), "%s%s%s", *file == '/' ? "" : prefix,
			 *file == '/' ? "" : "/", file);
		set_base(c, path);
		snprintf(found->file, sizeof(found->file), "%.255s", path);
		read_file(c, path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(places) && !is_read(c); i++) {
		set_base(c, places[i]);
		snprintf(found->file, sizeof(found->file), "%s", places[i]);
		read_file(c, places[i]);
	}
}

int logconf_nginx(struct logconf_found *found, const struct logconf *what)
{
	w5_auto(freep) struct conf *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	conf_init(c, what, found);
	read_all(c, found);
	return conf_finish(c, W5_LOG_NGINX, "combined");
}

int logconf_nginx_peers(struct logconf_peers *out, uint32_t pid)
{
	const struct logconf what = { .pid = pid };
	w5_auto(freep) struct conf *c = calloc(1, sizeof(*c));
	struct logconf_found none;

	memset(out, 0, sizeof(*out));
	if (!c)
		return -ENOMEM;
	conf_init(c, &what, &none);
	c->peers = out;
	read_all(c, &none);
	return out->n ? 0 : -ENOENT;
}
