/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the filter's own files: what filter.c parses and filter_match.c walks. */
#ifndef SINK_FILTER_IMPL_H
#define SINK_FILTER_IMPL_H

#include <regex.h>

#include "sink/filter.h"
#include "sink/filter_field.h"

#define FILTER_NODES_MAX  64  /* terms and operators in one expression */
#define FILTER_VALUES_MAX 128 /* values, those of lists included */
#define FILTER_DEPTH_MAX  24  /* parentheses and `!` inside each other */

/* Longer spellings first: the first that fits wins. */
#define FILTER_OPS(X)   \
	X(EQ, "==")     \
	X(NE, "!=")     \
	X(NMATCH, "!~") \
	X(GE, ">=")     \
	X(LE, "<=")     \
	X(MATCH, "~")   \
	X(GT, ">")      \
	X(LT, "<")

enum filter_op {
#define X(id, text) FILTER_OP_##id,
	FILTER_OPS(X)
#undef X
		FILTER_OP_MAX,
};

/* One value, or a span of numbers or addresses. */
struct filter_value {
	char *text;
	double lo, hi;
	struct filter_net net;
	regex_t re;
	bool has_re;
};

enum filter_node_kind {
	FILTER_NODE_TERM,
	FILTER_NODE_WORD,
	FILTER_NODE_AND,
	FILTER_NODE_OR,
	FILTER_NODE_NOT
};

struct filter_node {
	enum filter_node_kind kind;
	enum filter_op op;
	const struct filter_field_row *field;
	char *arg;	       /* of header.NAME: NAME */
	size_t left, right;    /* AND, OR; NOT: left */
	size_t first, nvalues; /* in filter.values; a word: its own */
};

struct filter {
	size_t n, nvalues, root;
	bool empty;
	struct filter_node nodes[FILTER_NODES_MAX];
	struct filter_value values[FILTER_VALUES_MAX];
};

static inline bool filter_op_is_match(enum filter_op op)
{
	return op == FILTER_OP_MATCH || op == FILTER_OP_NMATCH;
}

/*
 * Makes v of v->text, for that field and operator. NULL, or what is wrong with it
 * (in buf, or static).
 */
#define FILTER_WHY_MAX 96
const char *filter_value_make(struct filter_value *v, const struct filter_field_row *field,
			      enum filter_op op, char buf[FILTER_WHY_MAX]);

#endif
