// SPDX-License-Identifier: BSD-2-Clause
#include "app/expr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sink/filter.h"

/* One column per byte: what is no printable ASCII stands as '?'. */
static void put_plain(const char *s)
{
	for (; *s; s++)
		fputc(*s >= 0x20 && *s < 0x7f ? *s : '?', stderr);
	fputc('\n', stderr);
}

int expr_check(const char *option, const char *expr)
{
	struct filter_error err = { 0 };
	struct filter *flt = NULL;
	int ret = expr ? filter_parse(&flt, expr, &err) : 0;

	filter_free(flt);
	if (ret == -EINVAL) {
		fprintf(stderr, "why502: --%s: %s\n  ", option, err.text);
		put_plain(expr);
		fprintf(stderr, "  %*s^\n", (int)err.at, "");
	} else if (ret) {
		fprintf(stderr, "why502: --%s: %s\n", option, strerror(-ret));
	}
	return ret;
}
