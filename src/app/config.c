// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading: config_parse() works on bytes alone; what files there are and whether they may be
 * trusted is below it.
 */
#include "app/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/text.h"
#include "base/util.h"

#define SYSTEM_FILE "/etc/why502.conf"

struct reader {
	struct config *c;
	struct options *o;
	const char *file;
	unsigned line;
	char *why;
};

static int fail(const struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(const struct reader *r, const char *fmt, ...)
{
	int n = snprintf(r->why, CONFIG_WHY_MAX, "%s:%u: ", r->file, r->line);
	va_list ap;

	if (n < 0 || n >= CONFIG_WHY_MAX)
		n = 0;
	va_start(ap, fmt);
	vsnprintf(r->why + n, CONFIG_WHY_MAX - (size_t)n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* What a person typed, made harmless for a terminal. */
static const char *shown(char buf[128], const char *s)
{
	text_escape(buf, 128, s, strlen(s));
	return buf;
}

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

/* The word at s, cut off; what follows it is returned. */
static char *cut_word(char *s)
{
	s += strcspn(s, " \t");
	if (*s)
		*s++ = '\0';
	return trim(s);
}

static int read_bind(struct reader *r, char *key)
{
	char *name = cut_word(key), buf[128];
	int code = key_by_name(key, strlen(key));
	enum action a = action_by_name(name, strlen(name));

	if (!*key || !*name)
		return fail(r, "bind needs a key and an action: write as in bind C-s save");
	if (code == KEY_W5_NONE)
		return fail(r,
			    "there is no key '%s': write a character, or as Enter, F5, C-x, PgUp",
			    shown(buf, key));
	if (a == ACTION_MAX)
		return fail(r, "there is no action '%s': why502 --dump-config lists them all",
			    shown(buf, name));
	if (keymap_bind(&r->c->keys, code, a))
		return fail(r, "too many keys are bound: leave some as they are, at most %d",
			    KEYMAP_MAX);
	return 0;
}

static char *unquote(char *value)
{
	size_t n = strlen(value);

	if (n < 2 || value[0] != '"' || value[n - 1] != '"')
		return value;
	value[n - 1] = '\0';
	return value + 1;
}

static int read_option(struct reader *r, char *line)
{
	char *equals = strchr(line, '='), *name, *value = NULL;
	char buf[128], name_buf[128], why[CONFIG_WHY_MAX / 2];

	if (equals) {
		*equals = '\0';
		value = unquote(trim(equals + 1));
	}
	name = trim(line);
	switch (options_set(r->o, name, value, why, sizeof(why))) {
	case 0: return 0;
	case -ENOENT:
		return fail(r, "there is no option '%s': why502 --dump-config lists them all",
			    shown(buf, name));
	case -EPERM:
		return fail(
			r,
			"the option '%s' can be given on the command line only: remove this line",
			shown(buf, name));
	default:
		return fail(r, "the value '%s' of %s is not allowed: give %s",
			    shown(buf, value ? value : ""), shown(name_buf, name), why);
	}
}

static int read_line(struct reader *r, char *line)
{
	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	if (!strncmp(line, "bind", 4) && isspace((unsigned char)line[4]))
		return read_bind(r, trim(line + 4));
	return read_option(r, line);
}

int config_parse(struct config *c, struct options *o, const char *file, char *text, size_t len,
		 char why[CONFIG_WHY_MAX])
{
	struct reader r = { .c = c, .o = o, .file = file, .why = why };
	char *end = text + len, *nul = memchr(text, '\0', len);

	if (nul) {
		for (char *p = text; p < nul; p++)
			r.line += *p == '\n';
		r.line++;
		return fail(&r, "there is a NUL byte: this is no text file");
	}
	while (text < end) {
		char *nl = memchr(text, '\n', (size_t)(end - text));
		int err;

		if (nl)
			*nl = '\0';
		r.line++;
		err = read_line(&r, text);
		if (err)
			return err;
		text = nl ? nl + 1 : end;
	}
	return 0;
}

/* ---- files ---- */

/* Whoever can write this file decides what root does. */
static const char *distrust(const struct stat *st, char buf[128])
{
	const char *sudo = getenv("SUDO_UID");
	uint64_t uid = 0;

	if (!S_ISREG(st->st_mode))
		return "it is no ordinary file";
	if (geteuid())
		return NULL;
	if (st->st_mode & S_IWOTH)
		return "everybody may write it: chmod o-w it, or use --no-config";
	if (!st->st_uid ||
	    (sudo && !parse_digits(sudo, sudo + strlen(sudo), &uid) && st->st_uid == uid))
		return NULL;
	snprintf(buf, 128, "it belongs to user %u: chown it to root, or use --no-config",
		 (unsigned)st->st_uid);
	return buf;
}

static int complain(const char *path, const char *why)
{
	fprintf(stderr, "why502: %s is not read: %s\n", path, why);
	return -EINVAL;
}

static int read_text(const char *path, bool must_exist, char **out, size_t *len)
{
	w5_auto(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	w5_auto(freep) char *text = NULL;
	const char *why;
	char buf[128];
	struct stat st;
	ssize_t n;

	if (fd < 0 && !must_exist && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (fd < 0 || fstat(fd, &st))
		return complain(path, strerror(errno));
	why = distrust(&st, buf);
	if (why)
		return complain(path, why);
	if (st.st_size > CONFIG_BYTES_MAX)
		return complain(path, "it is larger than 64 KiB");
	text = malloc(CONFIG_BYTES_MAX + 1);
	if (!text)
		return complain(path, strerror(ENOMEM));
	n = read(fd, text, CONFIG_BYTES_MAX);
	if (n < 0)
		return complain(path, strerror(errno));
	text[n] = '\0';
	*len = (size_t)n;
	*out = take_ptr(text);
	return 0;
}

static int read_file(struct config *c, struct options *o, const char *path, bool must_exist)
{
	char why[CONFIG_WHY_MAX];
	char *text = NULL;
	size_t len = 0;
	int err = read_text(path, must_exist, &text, &len);

	if (err || !text)
		return err;
	c->text[c->n++] = text;
	err = config_parse(c, o, path, text, len, why);
	if (err)
		fprintf(stderr, "why502: %s\n", why);
	return err;
}

int config_read(void *self, struct options *o)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	struct config *c = self;
	char path[512];
	int err, n;

	if (o->no_config)
		return 0;
	if (o->config_path)
		return read_file(c, o, o->config_path, true);
	err = read_file(c, o, SYSTEM_FILE, false);
	if (err)
		return err;
	if (base && *base == '/')
		n = snprintf(path, sizeof(path), "%s/why502/config", base);
	else if (home && *home == '/')
		n = snprintf(path, sizeof(path), "%s/.config/why502/config", home);
	else
		return 0;
	return n < 0 || (size_t)n >= sizeof(path) ? 0 : read_file(c, o, path, false);
}

void config_fini(struct config *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->text[i]);
	c->n = 0;
}

static void dump_keys(FILE *out)
{
	fprintf(out, "\n# Keys: bind KEY ACTION; the action none frees a key.\n");
	for (int a = 1; a < ACTION_MAX; a++) {
		const char *p = action_keys((enum action)a);

		fprintf(out, "\n# %s\n", action_help((enum action)a));
		while (*p) {
			size_t len = strcspn(p, " ");

			fprintf(out, "#bind %.*s %s\n", (int)len, p, action_name((enum action)a));
			p += len + (p[len] == ' ');
		}
	}
}

void config_dump(FILE *out)
{
	struct option_text t;

	fprintf(out,
		"# why502: defaults of options, and keys. Read from %s, then from\n"
		"# ~/.config/why502/config; the command line comes last and wins.\n",
		SYSTEM_FILE);
	for (size_t i = 0; options_text(i, &t); i++) {
		if (t.is_command_line_only)
			continue;
		fprintf(out, "\n# %s\n", t.help);
		if (t.arg)
			fprintf(out, "#%s = %s\n", t.name, t.dflt ? t.dflt : t.arg);
		else
			fprintf(out, "#%s\n", t.name);
	}
	dump_keys(out);
}
