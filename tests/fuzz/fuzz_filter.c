/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filter expressions from bytes: parsed, matched against a finding whose texts are the input
 * too, and completed at every place. What is refused is refused at a place within the
 * expression; a negation is one.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sink/filter.h"
#include "sink/filter_complete.h"

#define EXPR_MAX 300

static void check_match(const char *expr, const struct filter *flt, const struct finding *f)
{
	char negated[EXPR_MAX + 8];
	struct filter *not = NULL;
	bool yes = filter_match(flt, f);

	filter_match_upstream(flt, &f->attempts[0].leg.remote, 80);
	filter_match_client(flt, &f->down.remote, 80);
	if (!expr[strspn(expr, " \t\n\v\f\r")])
		return;
	snprintf(negated, sizeof(negated), "!(%s)", expr);
	if (filter_parse(&not, negated, NULL))
		return; /* just too long or too deep now */
	assert(filter_match(not, f) != yes);
	filter_free(not );
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct filter_completion c;
	struct attempt attempts[2] = { { .leg = { .rport = 80, .alert_in = 0x128 } } };
	struct finding f = { .nattempts = 2, .attempts = attempts, .status = 502 };
	struct finding *list = &f;
	struct filter_error err = { .at = 0 };
	struct filter *flt = NULL;
	char expr[EXPR_MAX + 1];
	size_t n = min_size(size, EXPR_MAX);
	int ret;

	memcpy(expr, data, n);
	expr[n] = '\0';
	n = strlen(expr);
	snprintf(f.target, sizeof(f.target), "%.200s", expr);
	memcpy(f.down.head, expr, min_size(n, sizeof(f.down.head)));
	f.down.head_len = (uint16_t)n; /* more than there is: hostile, too */
	ret = filter_parse(&flt, expr, &err);
	assert(ret || flt);
	assert(!ret || ret == -EINVAL);
	assert(!ret || (err.at <= n && err.text[0]));
	if (!ret)
		check_match(expr, flt, &f);
	filter_free(flt);
	for (size_t at = 0; at <= n; at += n > 64 ? 7 : 1) {
		filter_complete(&c, expr, at, &list, 1);
		assert(c.from <= at);
		for (size_t i = 0; i < c.n; i++)
			assert(!strncmp(c.text[i], expr + c.from, at - c.from));
	}
	return 0;
}
