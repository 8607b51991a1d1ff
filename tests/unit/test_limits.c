/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsers of limits on texts and dumps as kernels gave them, cut and spoiled ones included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "base/util.h"
#include "source/limits_parse.h"

static const char netstat[] =
	"TcpExt: SyncookiesSent SyncookiesRecv ListenOverflows ListenDrops TCPReqQFullDrop\n"
	"TcpExt: 0 0 12 15 3\n"
	"IpExt: InNoRoutes InTruncatedPkts ListenDrops\n"
	"IpExt: 7 8 9\n";

static const char sockstat[] = "sockets: used 16\n"
			       "TCP: inuse 1 orphan 35 tw 4711 alloc 36 mem 222\n"
			       "UDP: inuse 0 mem 0\n";

static const char conntrack[] =
	"entries  clashres found new invalid ignore delete chainlength insert insert_failed drop\n"
	"00000010  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
	"0000000a\n"
	"00000010  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
	"00000006\n";

static const char softnet[] = "000b29e7 00000002 00000003 00000000\n"
			      "000aea66 00000001 00000010 00000000\n";

static const char pressure[] = "some avg10=97.13 avg60=97.53 avg300=81.80 total=626088881\n"
			       "full avg10=0.05 avg60=0.00 avg300=0.00 total=0\n";

static const char proc_limits[] =
	"Limit                     Soft Limit           Hard Limit           Units     \n"
	"Max cpu time              unlimited            unlimited            seconds   \n"
	"Max open files            1024                 4096                 files     \n";

static void test_texts(void **state)
{
	assert_int_equal(limits_netstat(netstat, "TcpExt:", "ListenOverflows"), 12);
	assert_int_equal(limits_netstat(netstat, "TcpExt:", "ListenDrops"), 15);
	assert_int_equal(limits_netstat(netstat, "IpExt:", "ListenDrops"), 9);
	assert_int_equal(limits_sockstat(sockstat, "TCP:", "tw"), 4711);
	assert_int_equal(limits_stat_sum(conntrack, "drop"), 16);
	assert_int_equal(limits_softnet(softnet, 1), 3);
	assert_int_equal(limits_softnet(softnet, 2), 19);
	assert_int_equal(limits_pressure(pressure, "some"), 9713);
	assert_int_equal(limits_pressure(pressure, "full"), 5);
	assert_int_equal(limits_soft(proc_limits, "Max open files"), 1024);
	assert_int_equal(limits_number("32768\t60999\n", 0), 32768);
	assert_int_equal(limits_number("32768\t60999\n", 1), 60999);
}

static void test_what_is_not_there_is_unknown(void **state)
{
	const uint64_t unknown = W5_HOST_UNKNOWN;

	assert_int_equal(limits_netstat(netstat, "TcpExt:", "NoSuchName"), unknown);
	assert_int_equal(limits_netstat(netstat, "MPTcpExt:", "ListenDrops"), unknown);
	assert_int_equal(limits_netstat("", "TcpExt:", "ListenDrops"), unknown);
	assert_int_equal(limits_netstat("TcpExt: A\nTcpExt:\n", "TcpExt:", "A"), unknown);
	assert_int_equal(limits_netstat("TcpExt: A\nIpExt: 1\n", "TcpExt:", "A"), unknown);
	assert_int_equal(limits_netstat("TcpExt: A\nTcpExt: -1\n", "TcpExt:", "A"), unknown);
	assert_int_equal(limits_netstat("TcpExt: A\nTcpExt: 1x\n", "TcpExt:", "A"), unknown);
	assert_int_equal(limits_sockstat(sockstat, "TCP:", "none"), unknown);
	assert_int_equal(limits_sockstat("TCP: tw", "TCP:", "tw"), unknown);
	assert_int_equal(limits_sockstat(sockstat, "RAW:", "tw"), unknown);
	assert_int_equal(limits_stat_sum("", "drop"), unknown);
	assert_int_equal(limits_softnet("", 1), unknown);
	assert_int_equal(limits_softnet("0001\n", 1), unknown);
	assert_int_equal(limits_pressure("", "some"), unknown);
	assert_int_equal(limits_pressure("some avg10=", "some"), unknown);
	assert_int_equal(limits_pressure("some avg10=1.2", "some"), unknown);
	assert_int_equal(limits_pressure("some avg10=99999999999999999999.00", "some"), unknown);
	assert_int_equal(limits_soft(proc_limits, "Max cpu time"), unknown);
	assert_int_equal(limits_soft("Max open files", "Max open files"), unknown);
	assert_int_equal(limits_number("", 0), unknown);
	assert_int_equal(limits_number("99999999999999999999999", 0), unknown);
}

/* ---- dumps ---- */

struct seen {
	size_t n;
	struct limits_socket last;
};

static void on_socket(void *self, const struct limits_socket *s)
{
	struct seen *x = self;

	x->n++;
	x->last = *s;
}

struct answer {
	struct nlmsghdr h;
	struct inet_diag_msg m;
	struct nlattr a;
	uint32_t meminfo[SK_MEMINFO_VARS];
};

static struct answer listener(void)
{
	struct answer x = {
		.h = { .nlmsg_len = sizeof(x), .nlmsg_type = SOCK_DIAG_BY_FAMILY },
		.m = { .idiag_family = AF_INET,
		       .idiag_state = 10,
		       .idiag_rqueue = 129,
		       .idiag_wqueue = 128 },
		.a = { .nla_len = sizeof(x.a) + sizeof(x.meminfo),
		       .nla_type = INET_DIAG_SKMEMINFO },
	};

	x.m.id.idiag_sport = htons(8080);
	x.m.id.idiag_src[0] = htonl(0x0a4d0101);
	x.meminfo[SK_MEMINFO_DROPS] = 12;
	return x;
}

static void test_a_listener_is_read(void **state)
{
	struct answer x = listener();
	struct seen s = { 0 };

	assert_int_equal(limits_diag_parse(&x, sizeof(x), on_socket, &s), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last.lport, 8080);
	assert_int_equal(s.last.recv_q, 129);
	assert_int_equal(s.last.send_q, 128);
	assert_int_equal(s.last.drops, 12);
	assert_int_equal(s.last.local.ip[12], 10);
	assert_int_equal(s.last.local.ip[11], 0xff);
	assert_int_equal(s.last.remote.ip[11], 0);
}

static void test_a_dump_ends_or_fails(void **state)
{
	struct {
		struct answer a, b;
		struct nlmsghdr done;
		int code;
	} x = { .a = listener(), .b = listener() };
	struct seen s = { 0 };

	x.done = (struct nlmsghdr){ .nlmsg_len = sizeof(x.done) + 4, .nlmsg_type = NLMSG_DONE };
	assert_int_equal(limits_diag_parse(&x, sizeof(x), on_socket, &s), LIMITS_DUMP_ENDED);
	assert_int_equal(s.n, 2);
	x.done.nlmsg_type = NLMSG_ERROR;
	x.code = -ENOENT;
	assert_int_equal(limits_diag_parse(&x.done, sizeof(x.done) + 4, on_socket, &s), -ENOENT);
	x.code = 0;
	assert_int_equal(limits_diag_parse(&x.done, sizeof(x.done) + 4, on_socket, &s), -EBADMSG);
}

static void test_cut_answers_are_refused(void **state)
{
	struct answer x = listener();
	struct seen s = { 0 };

	for (size_t n = 1; n < sizeof(x); n++) {
		uint8_t *copy = malloc(n); /* exactly so long: a read beyond is seen */

		memcpy(copy, &x, n);
		assert_int_equal(limits_diag_parse(copy, n, on_socket, &s), -EBADMSG);
		if (n >= sizeof(x.h)) {
			((struct nlmsghdr *)copy)->nlmsg_len = (uint32_t)n;
			s.last.drops = 0;
			assert_int_equal(limits_diag_parse(copy, n, on_socket, &s),
					 n < offsetof(struct answer, a) ? -EBADMSG : 0);
			assert_int_equal(s.last.drops, 0);
		}
		free(copy);
	}
	x.a.nla_len = 3; /* shorter than its own header */
	s.n = 0;
	assert_int_equal(limits_diag_parse(&x, sizeof(x), on_socket, &s), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last.drops, 0);
}

/* The kernel's own rules for such programs: every jump lands on an op, or 4 beyond the end. */
static void test_a_request_with_a_port_range_is_well_formed(void **state)
{
	uint8_t buf[LIMITS_REQUEST_MAX];
	size_t len = limits_diag_request(buf, AF_INET, 1u << 1, 32768, 60999);
	size_t from = sizeof(struct nlmsghdr) + sizeof(struct inet_diag_req_v2);
	struct nlattr a;
	struct inet_diag_bc_op op[4];

	memcpy(&a, buf + from, sizeof(a));
	assert_int_equal(len, from + a.nla_len);
	assert_int_equal(a.nla_type, INET_DIAG_REQ_BYTECODE);
	assert_int_equal(a.nla_len, sizeof(a) + sizeof(op));
	memcpy(op, buf + from + sizeof(a), sizeof(op));
	assert_int_equal(op[0].code, INET_DIAG_BC_S_GE);
	assert_int_equal(op[0].yes, 8);
	assert_int_equal(op[0].no, sizeof(op) + 4);
	assert_int_equal(op[1].no, 32768);
	assert_int_equal(op[2].code, INET_DIAG_BC_S_LE);
	assert_int_equal(op[2].no, 12);
	assert_int_equal(op[3].no, 60999);
	assert_int_equal(limits_diag_request(buf, AF_INET6, 1u << 10, 0, 0), from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_what_is_not_there_is_unknown),
		cmocka_unit_test(test_a_listener_is_read),
		cmocka_unit_test(test_a_dump_ends_or_fails),
		cmocka_unit_test(test_cut_answers_are_refused),
		cmocka_unit_test(test_a_request_with_a_port_range_is_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
