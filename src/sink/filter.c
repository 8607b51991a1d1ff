/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recursive descent over the expression into a small array of nodes; matching walks
 * it. The filter owns its nodes, their strings and compiled expressions.
 */
#include "sink/filter.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/filter_field.h"

#define NODES_MAX 64 /* terms and operators in one expression */
#define DEPTH_MAX 24 /* parentheses and `!` inside each other */

enum node_kind { NODE_TERM, NODE_WORD, NODE_AND, NODE_OR, NODE_NOT };

/* Longer spellings first: the first that fits wins. */
#define OPS(X)          \
	X(EQ, "==")     \
	X(NE, "!=")     \
	X(NMATCH, "!~") \
	X(GE, ">=")     \
	X(LE, "<=")     \
	X(MATCH, "~")   \
	X(GT, ">")      \
	X(LT, "<")

enum op {
#define X(id, text) OP_##id,
	OPS(X)
#undef X
		OP_MAX,
};

static const char *const op_text[OP_MAX] = {
#define X(id, text) [OP_##id] = text,
	OPS(X)
#undef X
};

struct node {
	enum node_kind kind;
	enum op op;
	const struct filter_field_row *field;
	size_t left, right; /* AND, OR; NOT: left */
	char *text;
	double number;
	regex_t re;
	bool has_re;
};

struct filter {
	size_t n, root;
	bool empty;
	struct node nodes[NODES_MAX];
};

struct parser {
	struct filter *flt;
	const char *s;
	size_t at;
	int depth;
	struct filter_error *err;
};

static int fail(struct parser *p, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct parser *p, size_t at, const char *fmt, ...)
{
	va_list ap;

	if (p->err) {
		p->err->at = at;
		va_start(ap, fmt);
		vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

static void skip_space(struct parser *p)
{
	while (isspace((unsigned char)p->s[p->at]))
		p->at++;
}

static bool at_text(const struct parser *p, const char *text)
{
	return !strncmp(p->s + p->at, text, strlen(text));
}

static int new_node(struct parser *p, enum node_kind kind, size_t *out)
{
	if (p->flt->n == NODES_MAX)
		return fail(p, p->at, "too long: at most %d terms", NODES_MAX / 2);
	*out = p->flt->n++;
	p->flt->nodes[*out].kind = kind;
	return 0;
}

/* A bare value ends at white space, &&, || or the parenthesis that closes an outer one. */
static size_t bare_length(const char *s)
{
	size_t n = 0, open = 0;

	while (s[n] && !isspace((unsigned char)s[n])) {
		if (!strncmp(s + n, "&&", 2) || !strncmp(s + n, "||", 2))
			break;
		if (s[n] == '(')
			open++;
		else if (s[n] == ')' && open-- == 0)
			break;
		n++;
	}
	return n;
}

static int parse_value(struct parser *p, char **out)
{
	const char *s = p->s + p->at;
	size_t start = 0, len;

	if (*s == '"') {
		const char *end = strchr(s + 1, '"');

		if (!end)
			return fail(p, p->at, "this quote is not closed");
		start = 1;
		len = (size_t)(end - s) - 1;
	} else {
		len = bare_length(s);
		if (!len)
			return fail(p, p->at, "a value is missing here");
	}
	*out = strndup(s + start, len);
	if (!*out)
		return -ENOMEM;
	p->at += len + 2 * start;
	return 0;
}

static bool is_number_op(enum op op)
{
	return op != OP_MATCH && op != OP_NMATCH;
}

static int check_number(struct parser *p, struct node *n, size_t value_at)
{
	char *end;

	if (!is_number_op(n->op))
		return 0; /* status~50[24] is handy: matched as text */
	errno = 0;
	n->number = strtod(n->text, &end);
	if (errno || *end || end == n->text)
		return fail(p, value_at, "%s is a number", n->field->name);
	return 0;
}

static int check_text(struct parser *p, struct node *n, size_t value_at)
{
	if (n->op != OP_EQ && n->op != OP_NE && is_number_op(n->op))
		return fail(p, value_at, "%s is text: use ==, !=, ~ or !~", n->field->name);
	if (is_number_op(n->op) && n->field->known && !n->field->known(n->text))
		return fail(p, value_at, "no such %s: %.40s", n->field->name, n->text);
	return 0;
}

static int compile(struct parser *p, struct node *n, size_t value_at)
{
	char why[64];
	int err;

	if (is_number_op(n->op))
		return 0;
	err = regcomp(&n->re, n->text, REG_EXTENDED | REG_NOSUB);
	if (err) {
		regerror(err, &n->re, why, sizeof(why));
		return fail(p, value_at, "bad regular expression: %s", why);
	}
	n->has_re = true;
	return 0;
}

static int parse_op(struct parser *p, enum op *out)
{
	for (size_t i = 0; i < OP_MAX; i++) {
		if (at_text(p, op_text[i])) {
			p->at += strlen(op_text[i]);
			*out = (enum op)i;
			return 0;
		}
	}
	return fail(p, p->at, "use == for equal");
}

/* Length of a field name that an operator follows, or 0: then it is a bare word. */
static size_t field_length(const char *s)
{
	size_t n = 0, after;

	while (islower((unsigned char)s[n]) || s[n] == '_')
		n++;
	if (!n)
		return 0;
	for (after = n; isspace((unsigned char)s[after]); after++)
		;
	if (strchr("=~<>", s[after]) && s[after])
		return n;
	return s[after] == '!' && s[after + 1] && strchr("=~", s[after + 1]) ? n : 0;
}

static int parse_comparison(struct parser *p, size_t name_len, size_t *out)
{
	size_t name_at = p->at, value_at;
	struct node *n;
	int err = new_node(p, NODE_TERM, out);

	if (err)
		return err;
	n = &p->flt->nodes[*out];
	n->field = filter_field_find(p->s + p->at, name_len);
	if (!n->field)
		return fail(p, name_at, "no such field: %.*s", (int)min_size(name_len, 40),
			    p->s + name_at);
	p->at += name_len;
	skip_space(p);
	err = parse_op(p, &n->op);
	if (err)
		return err;
	skip_space(p);
	value_at = p->at;
	err = parse_value(p, &n->text);
	if (err)
		return err;
	err = n->field->number ? check_number(p, n, value_at) : check_text(p, n, value_at);
	return err ? err : compile(p, n, value_at);
}

static int parse_word(struct parser *p, size_t *out)
{
	int err = new_node(p, NODE_WORD, out);

	return err ? err : parse_value(p, &p->flt->nodes[*out].text);
}

static int parse_or(struct parser *p, size_t *out);

static int parse_unary(struct parser *p, size_t *out)
{
	size_t len, open_at = p->at;
	int err;

	if (p->s[p->at] == '!') {
		size_t self = 0;

		p->at++;
		skip_space(p);
		err = new_node(p, NODE_NOT, &self);
		if (!err && ++p->depth > DEPTH_MAX)
			err = fail(p, open_at, "nested too deep");
		if (!err)
			err = parse_unary(p, &p->flt->nodes[self].left);
		p->depth--;
		*out = self;
		return err;
	}
	if (p->s[p->at] == '(') {
		p->at++;
		if (++p->depth > DEPTH_MAX)
			return fail(p, open_at, "nested too deep");
		err = parse_or(p, out);
		if (err)
			return err;
		p->depth--;
		if (p->s[p->at] != ')')
			return fail(p, open_at, "this parenthesis is not closed");
		p->at++;
		return 0;
	}
	len = field_length(p->s + p->at);
	return len ? parse_comparison(p, len, out) : parse_word(p, out);
}

static int join(struct parser *p, enum node_kind kind, size_t left, size_t right, size_t *out)
{
	int err = new_node(p, kind, out);

	if (err)
		return err;
	p->flt->nodes[*out].left = left;
	p->flt->nodes[*out].right = right;
	return 0;
}

static int parse_and(struct parser *p, size_t *out)
{
	size_t left, right;
	int err;

	skip_space(p);
	err = parse_unary(p, &left);
	while (!err) {
		skip_space(p);
		if (!p->s[p->at] || p->s[p->at] == ')' || at_text(p, "||"))
			break;
		if (at_text(p, "&&"))
			p->at += 2;
		skip_space(p);
		err = parse_unary(p, &right);
		if (!err)
			err = join(p, NODE_AND, left, right, &left);
	}
	*out = left;
	return err;
}

static int parse_or(struct parser *p, size_t *out)
{
	size_t left, right;
	int err = parse_and(p, &left);

	while (!err && at_text(p, "||")) {
		p->at += 2;
		err = parse_and(p, &right);
		if (!err)
			err = join(p, NODE_OR, left, right, &left);
	}
	*out = left;
	return err;
}

static void free_filter(struct filter **flt)
{
	filter_free(*flt);
}

int filter_parse(struct filter **out, const char *expr, struct filter_error *err)
{
	w5_auto(free_filter) struct filter *flt = calloc(1, sizeof(*flt));
	struct parser p = { .flt = flt, .s = expr, .err = err };
	int ret;

	if (!flt)
		return -ENOMEM;
	skip_space(&p);
	if (!expr[p.at]) {
		flt->empty = true;
		*out = take_ptr(flt);
		return 0;
	}
	ret = parse_or(&p, &flt->root);
	if (!ret && expr[p.at])
		ret = fail(&p, p.at, "nothing opened this parenthesis");
	if (ret)
		return ret;
	*out = take_ptr(flt);
	return 0;
}

void filter_free(struct filter *flt)
{
	if (!flt)
		return;
	for (size_t i = 0; i < flt->n; i++) {
		if (flt->nodes[i].has_re)
			regfree(&flt->nodes[i].re);
		free(flt->nodes[i].text);
	}
	free(flt);
}

static bool compare_number(enum op op, double a, double b)
{
	switch (op) {
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_GT: return a > b;
	case OP_LT: return a < b;
	case OP_GE: return a >= b;
	case OP_LE: return a <= b;
	default: return false;
	}
}

/* Is any value of the field equal to, or matched by, the node's text? */
static bool any_value(const struct node *n, const struct finding *f)
{
	char buf[FILTER_VALUE_MAX];

	for (size_t i = 0; n->field->text(f, i, buf, sizeof(buf)); i++) {
		if (n->has_re ? !regexec(&n->re, buf, 0, NULL, 0)
			      : filter_field_equal(n->field, buf, n->text))
			return true;
	}
	return false;
}

static bool match_term(const struct node *n, const struct finding *f)
{
	if (n->field->number && is_number_op(n->op))
		return compare_number(n->op, n->field->number(f), n->number);
	return any_value(n, f) == (n->op == OP_EQ || n->op == OP_MATCH);
}

static bool match_node(const struct filter *flt, size_t i, const struct finding *f)
{
	const struct node *n = &flt->nodes[i];

	switch (n->kind) {
	case NODE_TERM: return match_term(n, f);
	case NODE_WORD: return filter_field_any_contains(f, n->text);
	case NODE_AND: return match_node(flt, n->left, f) && match_node(flt, n->right, f);
	case NODE_OR: return match_node(flt, n->left, f) || match_node(flt, n->right, f);
	case NODE_NOT: return !match_node(flt, n->left, f);
	}
	return false;
}

bool filter_match(const struct filter *flt, const struct finding *f)
{
	return !flt || flt->empty || match_node(flt, flt->root, f);
}

bool filter_field(size_t i, const char **name, const char **what)
{
	const struct filter_field_row *row = filter_field_at(i);

	if (!row)
		return false;
	*name = row->name;
	*what = row->what;
	return true;
}
