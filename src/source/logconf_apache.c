/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Apache's configuration, as far as it names log formats: LogFormat, CustomLog, Include, Define
 * and ServerRoot. Conditions (<IfModule>, <IfDefine>) are taken as met.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "source/logconf_impl.h"

static const struct {
	const char *conf, *root;
} places[] = {
	{ "/etc/apache2/apache2.conf", "/etc/apache2" },
	{ "/etc/httpd/conf/httpd.conf", "/etc/httpd" },
	{ "/usr/local/apache2/conf/httpd.conf", "/usr/local/apache2" },
};

#define WORDS 4

/* A word, in quotes or not; inside quotes \" is a quote, other backslashes stay. */
static char *take_word(char **s)
{
	char *from = *s, *out, *p, quote;

	while (*from == ' ' || *from == '\t')
		from++;
	if (!*from)
		return NULL;
	quote = *from == '"' || *from == '\'' ? *from++ : '\0';
	for (p = out = from; *p; p++) {
		if (quote ? *p == quote : isspace((unsigned char)*p))
			break;
		if (quote && *p == '\\' && (p[1] == quote || p[1] == '\\'))
			p++;
		*out++ = *p;
	}
	*s = *p ? p + 1 : p;
	*out = '\0';
	return from;
}

/* The value of NAME in the environment the process was started with. */
static bool from_environment(const struct conf *c, const char *name, size_t len, char *out,
			     size_t cap)
{
	char path[64], env[16384];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%u/environ", c->c->pid);
	f = fopen(path, "re");
	n = f ? fread(env, 1, sizeof(env) - 1, f) : 0;
	if (f)
		fclose(f);
	env[n] = '\0';
	for (const char *s = env; s < env + n; s += strlen(s) + 1) {
		if (!strncmp(s, name, len) && s[len] == '=') {
			snprintf(out, cap, "%s", s + len + 1);
			return true;
		}
	}
	return false;
}

/* ${NAME} in paths, which Debian sets in the environment. */
static void expand(const struct conf *c, char *out, size_t cap, const char *s)
{
	size_t n = 0;

	while (*s && n + 1 < cap) {
		const char *close = s[0] == '$' && s[1] == '{' ? strchr(s, '}') : NULL;

		out[n] = '\0';
		if (!close) {
			out[n++] = *s++;
			continue;
		}
		if (from_environment(c, s + 2, (size_t)(close - s - 2), out + n, cap - n))
			n += strlen(out + n);
		s = close + 1;
	}
	out[n] = '\0';
}

static void read_file(struct conf *c, const char *path);

static void on_custom_log(struct conf *c, const char *path, const char *format)
{
	char full[CONF_PATH_MAX];

	expand(c, full, sizeof(full), path);
	if (*full == '|' || !conf_is_log(c, full))
		return;
	if (strchr(format, '%')) {
		conf_define(c, full, format);
		conf_want(c, c->nformats ? c->formats[c->nformats - 1].name : full);
	} else {
		conf_want(c, format);
	}
}

static void on_line(struct conf *c, char *line)
{
	char full[CONF_PATH_MAX], *rest = line;
	const char *word[WORDS];
	size_t n = 0;

	while (n < WORDS && (word[n] = take_word(&rest)))
		n++;
	if (n < 2 || *word[0] == '#')
		return;
	if (!strcasecmp(word[0], "LogFormat") && n > 2)
		conf_define(c, word[2], word[1]);
	else if (!strcasecmp(word[0], "CustomLog") && n > 2)
		on_custom_log(c, word[1], word[2]);
	else if (!strcasecmp(word[0], "ServerRoot"))
		snprintf(c->base, sizeof(c->base), "%s", word[1]);
	else if (!strcasecmp(word[0], "Include") || !strcasecmp(word[0], "IncludeOptional")) {
		expand(c, full, sizeof(full), word[1]);
		conf_include(c, full, read_file);
	}
}

static void read_file(struct conf *c, const char *path)
{
	w5_auto(freep) char *text = conf_read(c, path);
	char *line = text, *nl;

	for (char *s = text; s && (s = strstr(s, "\\\n"));) /* goes on in the next line */
		s[0] = s[1] = ' ';
	for (; line && *line; line = nl ? nl + 1 : NULL) {
		nl = strchr(line, '\n');
		if (nl)
			*nl = '\0';
		on_line(c, line);
	}
}

int logconf_apache(struct logconf_found *found, const struct logconf *what)
{
	w5_auto(freep) struct conf *c = calloc(1, sizeof(*c));
	char path[CONF_PATH_MAX / 2];

	if (!c)
		return -ENOMEM;
	conf_init(c, what, found);
	if (conf_argument(c, 'd', c->base, sizeof(c->base)))
		c->base[sizeof(c->base) - 1] = '\0';
	if (conf_argument(c, 'f', path, sizeof(path))) {
		snprintf(found->file, sizeof(found->file), "%s", path);
		read_file(c, path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(places) && !c->nwanted; i++) {
		snprintf(c->base, sizeof(c->base), "%s", places[i].root);
		snprintf(found->file, sizeof(found->file), "%s", places[i].conf);
		read_file(c, places[i].conf);
	}
	return conf_finish(c, W5_LOG_APACHE, "apache");
}
