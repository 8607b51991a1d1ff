/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of options: a parser per kind, 0 or -EINVAL; the field changes only on success. */
#include "app/option_row.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/util.h"
#include "w5_abi.h"

static int store_in_range(const struct option_row *row, uint64_t v, void *field)
{
	if (v < row->min || v > row->max)
		return -EINVAL;
	*(uint64_t *)field = v;
	return 0;
}

static int parse_command(const struct option_row *row, const char *arg, void *field)
{
	(void)arg;
	*(enum command *)field = (enum command)row->min;
	return 0;
}

static int parse_flag(const struct option_row *row, const char *arg, void *field)
{
	(void)row;
	(void)arg;
	*(bool *)field = true;
	return 0;
}

static int parse_count(const struct option_row *row, const char *arg, void *field)
{
	(void)row;
	(void)arg;
	++*(unsigned int *)field;
	return 0;
}

static int parse_string(const struct option_row *row, const char *arg, void *field)
{
	(void)row;
	if (!*arg)
		return -EINVAL;
	*(const char **)field = arg;
	return 0;
}

static int parse_comm(const struct option_row *row, const char *arg, void *field)
{
	return strlen(arg) > 15 ? -EINVAL : parse_string(row, arg, field);
}

static int parse_number(const struct option_row *row, const char *arg, void *field)
{
	uint64_t v;

	if (parse_digits(arg, arg + strlen(arg), &v))
		return -EINVAL;
	return store_in_range(row, v, field);
}

static int parse_size(const struct option_row *row, const char *arg, void *field)
{
	uint64_t v;

	return parse_bytes(arg, &v) ? -EINVAL : store_in_range(row, v, field);
}

static int parse_ring(const struct option_row *row, const char *arg, void *field)
{
	uint64_t v;

	/* BPF_MAP_TYPE_RINGBUF wants a power of two that is a multiple of the page size. */
	if (parse_size(row, arg, &v) || (v & (v - 1)) || v % (uint64_t)sysconf(_SC_PAGESIZE))
		return -EINVAL;
	*(uint64_t *)field = v;
	return 0;
}

static int parse_time(const struct option_row *row, const char *arg, void *field)
{
	uint64_t ns;

	return parse_seconds(arg, &ns) ? -EINVAL : store_in_range(row, ns, field);
}

static int parse_choice(const struct option_row *row, const char *arg, void *field)
{
	for (unsigned int i = 1; row->choices[i]; i++) { /* 0 is "automatic" */
		if (!strcmp(arg, row->choices[i])) {
			*(unsigned int *)field = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* One item of the list: 502, 500-504 or 5xx. */
static int parse_status_item(const char *s, const char *end, uint8_t bad[100])
{
	const char *dash = memchr(s, '-', (size_t)(end - s));
	uint64_t from = 500, to = 599;

	if (end - s != 3 || strncasecmp(s, "5xx", 3)) {
		if (parse_digits(s, dash ? dash : end, &from))
			return -EINVAL;
		to = from;
		if (dash && parse_digits(dash + 1, end, &to))
			return -EINVAL;
	}
	if (from < 500 || to > 599 || from > to)
		return -EINVAL;
	memset(bad + from - 500, 1, to - from + 1);
	return 0;
}

static int parse_status(const struct option_row *row, const char *arg, void *field)
{
	uint8_t bad[100] = { 0 };
	const char *end;

	(void)row;
	for (;; arg = end + 1) {
		end = strchrnul(arg, ',');
		if (parse_status_item(arg, end, bad))
			return -EINVAL;
		if (!*end)
			break;
	}
	memcpy(field, bad, sizeof(bad));
	return 0;
}

static int parse_history(const struct option_row *row, const char *arg, void *field)
{
	uint64_t pair[2] = { 0 };

	(void)row;
	if (strcmp(arg, "0") &&
	    (parse_pair(arg, pair) || pair[0] < 1 || pair[0] > W5_PKT_SLOTS_MAX ||
	     pair[1] < W5_PKT_BYTES_MIN || pair[1] > W5_PKT_BYTES_MAX || pair[1] % 8))
		return -EINVAL;
	memcpy(field, pair, sizeof(pair));
	return 0;
}

static int parse_screen(const struct option_row *row, const char *arg, void *field)
{
	uint64_t pair[2] = { 0 };

	if (parse_pair(arg, pair) || pair[0] < row->min || pair[0] > row->max || pair[1] < 5 ||
	    pair[1] > row->max)
		return -EINVAL;
	memcpy(field, pair, sizeof(pair));
	return 0;
}

static int parse_gateway(const struct option_row *row, const char *arg, void *field)
{
	struct capture_cfg *c = field;

	(void)row;
	if (c->ngateways == CAPTURE_GATEWAYS_MAX ||
	    capture_gateway_parse(&c->gateways[c->ngateways], arg))
		return -EINVAL;
	c->ngateways++;
	return 0;
}

static int parse_log(const struct option_row *row, const char *arg, void *field)
{
	struct access_logs *l = field;

	if (l->n == ACCESS_LOGS_MAX)
		return -EINVAL;
	if (parse_string(row, arg, &l->log[l->n].path))
		return -EINVAL;
	l->n++;
	return 0;
}

static int parse_log_format(const struct option_row *row, const char *arg, void *field)
{
	struct access_logs *l = field;

	return l->n ? parse_string(row, arg, &l->log[l->n - 1].format) : -EINVAL;
}

static int (*const kinds[])(const struct option_row *row, const char *arg, void *field) = {
	[KIND_COMMAND] = parse_command,
	[KIND_FLAG] = parse_flag,
	[KIND_COUNT] = parse_count,
	[KIND_STRING] = parse_string,
	[KIND_COMM] = parse_comm,
	[KIND_NUMBER] = parse_number,
	[KIND_SIZE] = parse_size,
	[KIND_RING] = parse_ring,
	[KIND_SECONDS] = parse_time,
	[KIND_CHOICE] = parse_choice,
	[KIND_STATUS] = parse_status,
	[KIND_HISTORY] = parse_history,
	[KIND_SCREEN] = parse_screen,
	[KIND_LOG] = parse_log,
	[KIND_LOG_FORMAT] = parse_log_format,
	[KIND_GATEWAY] = parse_gateway,
};
_Static_assert(ARRAY_SIZE(kinds) == KIND_MAX, "every kind has its parser");

int option_row_apply(const struct option_row *row, const char *arg, struct options *o)
{
	return kinds[row->kind](row, arg, (char *)o + row->offset);
}
