/* SPDX-License-Identifier: BSD-2-Clause */
/* See logfmt.h: compiling a format, the well known ones, and guessing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "source/logfmt_impl.h"

struct named {
	const char *word; /* NULL: has the name of the row before, another spelling */
	enum w5_log_kind kind;
	const char *text; /* NULL: JSON */
	bool open_end;
	bool is_guess; /* in the order tried */
};

/* nginx's and Apache's combined differ only in which moment the stamp is of; Apache's says less,
 * so it is what a line of unknown origin is read as. */
static const struct named names[] = {
	{ .word = "haproxy",
	  .kind = W5_LOG_HAPROXY,
	  .text = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc "
		  "%ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r",
	  .open_end = true,
	  .is_guess = true },
	{ .word = "caddy", .kind = W5_LOG_CADDY, .is_guess = true },
	{ .word = "vhost_combined", /* Debian's Apache */
	  .kind = W5_LOG_APACHE,
	  .text = "%v:%p %h %l %u %t \"%r\" %>s %b",
	  .open_end = true,
	  .is_guess = true },
	{ .word = "apache",
	  .kind = W5_LOG_APACHE,
	  .text = "%h %l %u %t \"%r\" %>s %b",
	  .open_end = true,
	  .is_guess = true },
	{ .word = "combined",
	  .kind = W5_LOG_NGINX,
	  .text = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent",
	  .open_end = true },
	{ .word = "nginx",
	  .kind = W5_LOG_NGINX,
	  .text = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent",
	  .open_end = true },
};

static const char *const kind_names[] = {
	[W5_LOG_NGINX] = "nginx",
	[W5_LOG_HAPROXY] = "haproxy",
	[W5_LOG_APACHE] = "apache",
	[W5_LOG_CADDY] = "caddy",
};

/* ---- compiling ---- */

static int put_byte(struct logfmt *f, char c)
{
	if (f->ntext >= sizeof(f->text))
		return -EINVAL;
	f->text[f->ntext++] = c;
	f->parts[f->nparts - 1].len++;
	return 0;
}

static int put_part(struct logfmt *f, const struct log_directive *d)
{
	if (f->nparts == LOG_PARTS_MAX || (d->open && put_byte(f, d->open)))
		return -EINVAL;
	f->parts[f->nparts++] =
		(struct log_part){ .field = (uint8_t)d->field, .at = (uint16_t)f->ntext };
	f->stamp_ends = f->stamp_ends || d->ends;
	return d->close ? put_byte(f, d->close) : 0;
}

static char unescape(char c)
{
	return c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
}

/* 'a' 'b' -> ab, as in a configuration file; text without quotes around it stays. */
static void join_pieces(char *out, size_t cap, const char *text)
{
	size_t n = 0;
	char quote = '\0';
	const char *s = text;

	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	if (*s != '\'') {
		snprintf(out, cap, "%s", text);
		return;
	}
	for (; *s && n + 1 < cap; s++) {
		if (quote && *s == '\\' && s[1] && n + 2 < cap) {
			out[n++] = *s++;
			out[n++] = *s;
		} else if (quote ? *s == quote : *s == '\'' || *s == '"') {
			quote = quote ? '\0' : *s;
		} else if (quote) {
			out[n++] = *s;
		}
	}
	out[n] = '\0';
}

static bool has_field(const struct logfmt *f, enum log_field from, enum log_field to)
{
	for (size_t i = 1; i < f->nparts; i++) {
		if (f->parts[i].field >= from && f->parts[i].field <= to)
			return true;
	}
	return false;
}

static int compile(struct logfmt *f, const char *s)
{
	int rc = 0;

	f->nparts = 1; /* the text before the first directive */
	while (*s && !rc) {
		struct log_directive d = { 0 };

		if (*s == '\\' && s[1]) {
			rc = put_byte(f, unescape(s[1]));
			s += 2;
			continue;
		}
		if (s[0] == '%' && s[1] == '%' && f->kind != W5_LOG_NGINX) {
			rc = put_byte(f, '%');
			s += 2;
			continue;
		}
		if (*s == '$' || *s == '%')
			d = log_directive_at(f->kind, s);
		rc = d.used ? put_part(f, &d) : put_byte(f, *s);
		s += d.used ? d.used : 1;
	}
	while (f->ntext && f->nparts > 1 && f->parts[f->nparts - 1].len &&
	       f->text[f->ntext - 1] == '\n') {
		f->ntext--;
		f->parts[f->nparts - 1].len--;
	}
	return rc;
}

static int refuse(struct logfmt *f, char *err, const char *why)
{
	snprintf(err, LOGFMT_ERR_MAX, "%s", why);
	free(f);
	return -EINVAL;
}

int logfmt_new(struct logfmt **out, enum w5_log_kind kind, const char *text,
	       char err[LOGFMT_ERR_MAX])
{
	char joined[LOG_TEXT_MAX];
	struct logfmt *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->kind = kind;
	f->name = kind_names[kind];
	join_pieces(joined, sizeof(joined), text);
	if (strlen(text) >= sizeof(joined) || compile(f, joined))
		return refuse(f, err, "it is too long");
	if (!has_field(f, LOG_STATUS, LOG_STATUS_FIRST))
		return refuse(f, err, "it has no status");
	if (!has_field(f, LOG_CLF, LOG_EPOCH_US))
		return refuse(f, err, "it has no time that can be read");
	*out = f;
	return 0;
}

static int named_new(struct logfmt **out, const struct named *row)
{
	char err[LOGFMT_ERR_MAX];
	int rc = 0;

	if (row->text)
		rc = logfmt_new(out, row->kind, row->text, err);
	else
		*out = calloc(1, sizeof(**out));
	if (rc || !*out)
		return rc ? rc : -ENOMEM;
	(*out)->kind = row->kind;
	(*out)->name = row->word;
	(*out)->is_json = !row->text;
	(*out)->open_end = row->open_end;
	return 0;
}

int logfmt_named(struct logfmt **out, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i].word, word))
			return named_new(out, &names[i]);
	}
	return -ENOENT;
}

enum w5_log_kind logfmt_kind_of(const char *text)
{
	static const char *const apache[] = { "%h", "%>s", "%s", "%{", "%r", "%m" };
	static const char *const haproxy[] = { "%ci", "%ST", "%tr", "%[", "%HM", "%Ta" };

	if (strchr(text, '$') && (!strchr(text, '%') || strstr(text, "$status")))
		return W5_LOG_NGINX;
	for (size_t i = 0; i < ARRAY_SIZE(haproxy); i++) {
		if (strstr(text, haproxy[i]))
			return W5_LOG_HAPROXY;
	}
	for (size_t i = 0; i < ARRAY_SIZE(apache); i++) {
		if (strstr(text, apache[i]))
			return W5_LOG_APACHE;
	}
	return 0;
}

struct logfmt *logfmt_guess(const char *line, size_t len)
{
	const struct log_clock clock = { .now_ns = 1ull << 62, .wall_offset_ns = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct logfmt *f = NULL;
		struct w5_log unused;

		if (!names[i].is_guess || named_new(&f, &names[i]))
			continue;
		if (!logfmt_read(f, line, len, &clock, &unused))
			return f;
		logfmt_free(f);
	}
	return NULL;
}

void logfmt_free(struct logfmt *f)
{
	free(f);
}

const char *logfmt_name(const struct logfmt *f)
{
	return f->name;
}

enum w5_log_kind logfmt_kind(const struct logfmt *f)
{
	return f->kind;
}

int logfmt_read(const struct logfmt *f, const char *line, size_t len, const struct log_clock *clock,
		struct w5_log *out)
{
	struct log_values v;

	*out = (struct w5_log){
		.h = { .ts_ns = clock->now_ns, .type = W5_REC_LOG, .size = sizeof(*out) },
		.kind = (uint8_t)f->kind,
	};
	if (f->is_json)
		return log_json_read(line, len, clock, out);
	if (logfmt_match(f, line, len, &v))
		return log_values_read(f, &v, clock, out);
	/* HAProxy's syslog file holds its messages, too, and those have no request. */
	return f->kind == W5_LOG_HAPROXY && f->open_end && !memchr(line, '"', len) ? -ENOMSG
										   : -EBADMSG;
}
