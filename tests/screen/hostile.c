/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile FILE [N]: a trace of bad exchanges as an attacker would send them: escape
 * sequences, control characters, wide, combining and right-to-left characters, malformed
 * UTF-8, endless targets, hosts and status lines. N more plain ones come before, for lists.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/rec.h"
#include "base/util.h"
#include "source/trace.h"

static const char *const targets[] = {
	"/clear\x1b[2J\x1b[H\x1b]0;owned\x07",
	"/colour\x1b[31m\x1b[7mred\x1b(0lqk",
	"/wide/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e/\xef\xbc\xa1\xef\xbc\xa2",
	"/combining/e\xcc\x81\xcc\x81\xcc\x81o\xcc\x88",
	"/emoji/\xf0\x9f\x98\x80\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
	"/rtl/\xe2\x80\xae"
	"cilbup/nimda\xe2\x80\xac",
	"/c1/\xc2\x9b"
	"31m\x9b"
	"2J\x84\x85",
	"/broken/\xc3(\xe2\x82\xff\xfe\x80\xf0\x28\x8c\x28",
	"/back\x08\x08\x08\x08\x08/del\x7f\x7f/tab\t/vt\x0b\x0c",
	"/%1b%5b31m/%00/..%2f..%2f",
	"/percent/%s%n%d%x",
};

static struct trace_writer *writer;

static void put(const struct w5_hdr *h)
{
	if (trace_write(writer, h))
		abort();
}

static void put_start(void)
{
	struct w5_session s = { .h = { .ts_ns = REC_T0, .type = W5_REC_SESSION, .size = sizeof(s) },
				.realtime_ns = 1795000000ull * 1000000000,
				.abi = W5_ABI_VERSION,
				.host = "gw\x1b[5m" };
	struct w5_gateway g = { .h = { .ts_ns = REC_T0, .type = W5_REC_GATEWAY, .size = sizeof(g) },
				.tgid = REC_GW,
				.group = REC_GW,
				.nports = 1,
				.ports = { 80 },
				.comm = "ng\x07inx\xe6\x97\xa5" };

	put(&s.h);
	put(&g.h);
}

static void put_bad(unsigned i, const char *target, const char *host)
{
	double t = 1000 + i * 10;
	struct w5_leg down = rec_down(1000 + i * 2, t, "GET", target);
	struct w5_leg up = rec_connect(1001 + i * 2, t + 0.1, 17, ECONNREFUSED, t + 0.3);
	struct w5_hdr tick = { .ts_ns = ms(t + 9), .type = W5_REC_TICK, .size = sizeof(tick) };

	rec_head(&down, "GET", target, host, "X-Request-Id: \x1b[2J\r\n");
	rec_tie(&up, &down);
	rec_answer(&down, t + 0.4, 502);
	put(&up.h);
	put(&down.h);
	put(&tick);
}

int main(int argc, char **argv)
{
	unsigned n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	struct w5_hdr tick = { .type = W5_REC_TICK, .size = sizeof(tick) };
	char plain[64];

	if (argc < 2 || trace_writer_new(&writer, argv[1]))
		return 2;
	put_start();
	for (unsigned i = 0; i < n; i++) {
		snprintf(plain, sizeof(plain), "/plain/%u", i);
		put_bad(i, plain, "shop.example");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(targets); i++)
		put_bad(n + i, targets[i], i % 2 ? "shop.example" : "\x1b]0;\xe6\x97\xa5\x07");
	tick.ts_ns = ms(1000 + (n + ARRAY_SIZE(targets)) * 10 + 1000);
	put(&tick);
	return trace_writer_close(writer) ? 1 : 0;
}
