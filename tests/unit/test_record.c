/* SPDX-License-Identifier: BSD-2-Clause */
/* Records are checked before anybody reads them. */
#include <errno.h>
#include <string.h>

#include "source/record.h"
#include "trace_record.h"

static void test_every_type_passes_at_its_size_only(void **state)
{
	for (uint16_t t = 0; t < W5_REC_TYPE_MAX + 2; t++) {
		bool known = t && t < W5_REC_TYPE_MAX;
		union record r = known ? sample(t, 1) : (union record){ .h = { .size = 24 } };

		r.h.type = t;
		assert_int_equal(record_check(&r.h, sizeof(r)), known ? 0 : -EBADMSG);
		assert_int_equal(!!record_name(t), known);
		if (!known)
			continue;
		assert_int_equal(record_check(&r.h, r.h.size), 0);
		assert_int_equal(record_check(&r.h, r.h.size - 1u), -EBADMSG);
		r.h.size += 4;
		assert_int_equal(record_check(&r.h, sizeof(r)), -EBADMSG);
		r.h.size = 16;
		assert_int_equal(record_check(&r.h, sizeof(r)), -EBADMSG);
		r.h.size = sizeof(r) + 8;
		assert_int_equal(record_check(&r.h, sizeof(r) + 8), -EBADMSG);
	}
}

/* A sound record of this type, and then that. */
#define refused_with(rec_type, change)                                     \
	do {                                                               \
		union record r = sample(rec_type, 1);                      \
		assert_int_equal(record_check(&r.h, sizeof(r)), 0);        \
		change;                                                    \
		assert_int_equal(record_check(&r.h, sizeof(r)), -EBADMSG); \
	} while (0)

static void test_lengths_inside_must_point_inside(void **state)
{
	union record full = sample(W5_REC_EXCHANGE, 1);

	full.leg.head_len = W5_HEAD_REQ;
	full.leg.resp_len = W5_HEAD_RESP;
	assert_int_equal(record_check(&full.h, sizeof(full)), 0);
	refused_with(W5_REC_EXCHANGE, r.leg.head_len = W5_HEAD_REQ + 1);
	refused_with(W5_REC_END, r.leg.resp_len = W5_HEAD_RESP + 1);
	refused_with(W5_REC_END, r.leg.end = W5_END_MAX);
	refused_with(W5_REC_END, r.leg.role = 3);
	refused_with(W5_REC_PACKETS, r.packets.pkt[15].cap = W5_PKT_BYTES + 1);
	refused_with(W5_REC_PACKETS, r.packets.slots = 15); /* then it would be shorter */
	refused_with(W5_REC_PACKETS, r.packets.bytes8 = 17);
	refused_with(W5_REC_GATEWAY, r.gateway.nports = 17);
	refused_with(W5_REC_GATEWAY, memset(r.gateway.cgroup, 'x', sizeof(r.gateway.cgroup)));
	refused_with(W5_REC_SESSION, memset(r.session.host, 'x', sizeof(r.session.host)));
	refused_with(W5_REC_UNIX, r.local.len = W5_UNIX_PATH + 1);
	refused_with(W5_REC_UNIX_OPEN, r.local.len = W5_UNIX_PATH + 1);
	refused_with(W5_REC_KILLED, r.killed.signal = 0);
	refused_with(W5_REC_KILLED, memset(r.killed.comm, 'x', sizeof(r.killed.comm)));
	refused_with(W5_REC_LISTEN, memset(r.listen.comm, 'x', sizeof(r.listen.comm)));
	refused_with(W5_REC_DNS, r.dns.len = W5_DNS_BYTES + 1);
	refused_with(W5_REC_DNS, r.dns.kind = W5_DNS_KIND_MAX);
	refused_with(W5_REC_NAME, r.name.naddrs = W5_NAME_ADDRS + 1);
	refused_with(W5_REC_NAME, memset(r.name.name, 'x', sizeof(r.name.name)));
	refused_with(W5_REC_LIMIT, r.limit.kind = W5_LIMIT_KIND_MAX);
	refused_with(W5_REC_LIMIT, r.limit.kind = W5_LIMIT_PORTS; r.limit.port_lo = 2;
		     r.limit.port_hi = 1);
}

/* The kernel side cuts a healthy record behind the part of head[] that is filled. */
static void test_healthy_legs_may_end_anywhere_in_head(void **state)
{
	for (size_t size = offsetof(struct w5_leg, head); size <= W5_LEG_BULK; size += 8) {
		union record r = sample(W5_REC_ATTEMPT, 1);

		r.h.size = (uint16_t)size;
		r.leg.head_len = W5_HEAD_REQ;
		assert_int_equal(record_check(&r.h, size), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_passes_at_its_size_only),
		cmocka_unit_test(test_lengths_inside_must_point_inside),
		cmocka_unit_test(test_healthy_legs_may_end_anywhere_in_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
