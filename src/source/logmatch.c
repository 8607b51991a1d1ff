/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line against a compiled format: each value ends at the text that follows it in the format,
 * at the first place where the value looks like its field and the rest of the line fits. A
 * budget bounds the work on lines made to be slow.
 */
#include <string.h>

#include "source/logfmt_impl.h"

#define BUDGET	   4096
#define PREFIX_MAX 128 /* bytes a syslog daemon may have put in front */

struct match {
	const struct logfmt *f;
	const char *line;
	size_t len;
	struct log_values *out;
	unsigned int budget;
};

static bool text_at(const struct match *m, const struct log_part *p, size_t pos)
{
	return m->len - pos >= p->len && !memcmp(m->line + pos, m->f->text + p->at, p->len);
}

/* The next place at or after pos where the text behind p begins; m->len + 1 = none. */
static size_t next_end(const struct match *m, const struct log_part *p, size_t pos)
{
	const char *at;

	if (!p->len)
		return pos;
	if (pos > m->len)
		return m->len + 1;
	at = memmem(m->line + pos, m->len - pos, m->f->text + p->at, p->len);
	return at ? (size_t)(at - m->line) : m->len + 1;
}

/* \" inside a quoted value does not end it. */
static bool is_escaped(const struct match *m, const struct log_part *p, size_t from, size_t end)
{
	size_t n = 0;

	if (!p->len || m->f->text[p->at] != '"')
		return false;
	while (end - n > from && m->line[end - n - 1] == '\\')
		n++;
	return n % 2;
}

static bool match_from(struct match *m, size_t i, size_t pos);

static bool take(struct match *m, size_t i, size_t pos, size_t end)
{
	const struct log_part *p = &m->f->parts[i];
	struct log_span *v = &m->out->v[p->field];
	struct log_span before = *v;

	if (!m->budget)
		return false;
	m->budget--;
	if (is_escaped(m, p, pos, end) || !log_shape_fits(p->field, m->line + pos, end - pos))
		return false;
	*v = (struct log_span){ .p = m->line + pos, .len = end - pos };
	if (match_from(m, i + 1, end + p->len))
		return true;
	*v = before;
	return false;
}

/* The last value: the rest of the line, or up to a blank where more may follow. */
static bool match_last(struct match *m, size_t i, size_t pos)
{
	if (take(m, i, pos, m->len))
		return true;
	for (size_t end = pos; m->f->open_end && end < m->len && m->budget; end++) {
		if (m->line[end] == ' ' && take(m, i, pos, end))
			return true;
	}
	return false;
}

/* Nothing was captured: then HAProxy leaves out one of the two blanks, too. */
static bool match_without(struct match *m, size_t i, size_t pos)
{
	struct log_part rest = m->f->parts[i];

	if (rest.len && m->f->text[rest.at] == ' ') {
		rest.at++;
		rest.len--;
	}
	return text_at(m, &rest, pos) && match_from(m, i + 1, pos + rest.len);
}

static bool match_from(struct match *m, size_t i, size_t pos)
{
	const struct log_part *p;

	if (pos > m->len)
		return false;
	if (i == m->f->nparts)
		return pos == m->len || m->f->open_end;
	p = &m->f->parts[i];
	if (i + 1 == m->f->nparts && !p->len)
		return match_last(m, i, pos);
	for (size_t end = next_end(m, p, pos); end <= m->len && m->budget;
	     end = next_end(m, p, end + 1)) {
		if (take(m, i, pos, end))
			return true;
	}
	return p->field == LOG_GROUP && match_without(m, i, pos);
}

/* The digits of "[2217]" that ends at end. */
static struct log_span number_before(const struct match *m, size_t end)
{
	size_t from = end;

	if (!end || m->line[end - 1] != ']')
		return (struct log_span){ 0 };
	from--;
	while (from && m->line[from - 1] >= '0' && m->line[from - 1] <= '9')
		from--;
	if (!from || m->line[from - 1] != '[' || from + 1 == end)
		return (struct log_span){ 0 };
	return (struct log_span){ .p = m->line + from, .len = end - 1 - from };
}

/* "... haproxy[2217]: " in front of a line, and the process id in it. */
static size_t after_prefix(const struct match *m, size_t pos, struct log_span *pid)
{
	for (size_t i = pos; i + 1 < m->len && i < PREFIX_MAX; i++) {
		if (m->line[i] != ':' || m->line[i + 1] != ' ')
			continue;
		*pid = number_before(m, i);
		return i + 2;
	}
	return 0;
}

bool logfmt_match(const struct logfmt *f, const char *line, size_t len, struct log_values *out)
{
	struct match m = { .f = f, .line = line, .len = len, .out = out, .budget = BUDGET };
	const struct log_part *lead = &f->parts[0];
	struct log_span pid = { 0 };
	size_t pos = 0;

	do {
		memset(out, 0, sizeof(*out));
		out->v[LOG_PID] = pid;
		if (text_at(&m, lead, pos) && match_from(&m, 1, pos + lead->len))
			return true;
		pos = after_prefix(&m, pos, &pid);
	} while (pos && m.budget);
	return false;
}
