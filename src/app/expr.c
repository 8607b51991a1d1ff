// SPDX-License-Identifier: BSD-2-Clause
#include "app/expr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sink/filter.h"
#include "sink/pktfilter.h"

/* One column per byte: what is no printable ASCII stands as '?'. */
static void put_plain(const char *s)
{
	for (; *s; s++)
		fputc(*s >= 0x20 && *s < 0x7f ? *s : '?', stderr);
	fputc('\n', stderr);
}

static int show(const char *option, const char *expr, int err, const char *why, size_t at)
{
	if (err == -EINVAL) {
		fprintf(stderr, "why502: --%s: %s\n  ", option, why);
		put_plain(expr);
		fprintf(stderr, "  %*s^\n", (int)at, "");
	} else if (err) {
		fprintf(stderr, "why502: --%s: %s\n", option, strerror(-err));
	}
	return err;
}

int expr_check(const char *option, const char *expr)
{
	struct filter_error err = { 0 };
	struct filter *flt = NULL;
	int ret = expr ? filter_parse(&flt, expr, &err) : 0;

	filter_free(flt);
	return show(option, expr, ret, err.text, err.at);
}

int expr_check_packets(const char *option, const char *expr)
{
	char why[PKTFILTER_WHY_MAX] = "";
	struct pktfilter *flt = NULL;
	size_t at = 0;
	int ret = expr ? pktfilter_new(&flt, expr, why, &at) : 0;

	pktfilter_free(flt);
	return show(option, expr, ret, why, at);
}
