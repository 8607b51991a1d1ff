/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <pcap/pcap.h>

#include "pcap_files.h"
#include "sample.h"
#include "sink/pcapout.h"

struct packet {
	uint64_t ns;
	uint32_t caplen, len;
	uint8_t tcp_flags;
};

/* Reads the file back with libpcap; -1 if it cannot, or if it is cut. */
static int read_back(const char *path, struct packet *out, int max)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, err);
	struct pcap_pkthdr *h;
	const unsigned char *data;
	int n = 0, rc;

	if (!p)
		return -1;
	assert_int_equal(pcap_datalink(p), DLT_RAW);
	while ((rc = pcap_next_ex(p, &h, &data)) == 1 && n < max)
		out[n++] = (struct packet){
			.ns = (uint64_t)h->ts.tv_sec * 1000000000 + (uint64_t)h->ts.tv_usec,
			.caplen = h->caplen,
			.len = h->len,
			.tcp_flags = h->caplen > 33 ? data[33] : 0,
		};
	pcap_close(p);
	return rc == PCAP_ERROR_BREAK ? n : -1;
}

static void test_both_legs_in_time_order_with_wall_clock(void **state)
{
	const struct finding *f = *state;
	struct packet p[32];
	struct stat st;
	size_t n;

	assert_int_equal(pcap_save(in_dir("a.pcap"), &f, 1, &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(read_back(in_dir("a.pcap"), p, 32), 7);
	for (int i = 1; i < 7; i++)
		assert_true(p[i].ns >= p[i - 1].ns);
	assert_true(p[6].ns == SAMPLE_WALL_NS);		 /* to the nanosecond */
	assert_true(p[5].ns == SAMPLE_WALL_NS - 112000); /* the RST of the other leg */
	assert_int_equal(p[5].tcp_flags, W5_TCP_RST);
	assert_int_equal(p[5].caplen, 40);
	assert_int_equal(p[5].len, 40);
	assert_int_equal(stat(in_dir("a.pcap"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(files_in_dir(), 1); /* no temporary file stays */
}

static void test_the_backend_side_alone(void **state)
{
	const struct finding *f = *state;
	struct packet p[32];
	size_t n, ng;

	/* as classic pcap, whatever its name says */
	assert_int_equal(pcap_save_as(in_dir("a.x"), PCAP_FORMAT_PCAP, true, NULL, &f, 1, &n), 0);
	assert_int_equal(n, f->attempts[0].flight->p.total);
	assert_true(n < 7);
	assert_int_equal(read_back(in_dir("a.x"), p, 32), n);
	assert_int_equal(p[n - 1].tcp_flags, W5_TCP_RST);
	assert_int_equal(pcap_save_as(in_dir("b.x"), PCAP_FORMAT_PCAPNG, true, NULL, &f, 1, &ng),
			 0);
	assert_int_equal(ng, n);
}

static void test_a_packet_filter_leaves_out(void **state)
{
	const struct finding *f = *state;
	struct pktfilter *flt = NULL;
	char why[PKTFILTER_WHY_MAX];
	struct packet p[32];
	size_t n, at;

	assert_int_equal(pktfilter_new(&flt, "tcp[tcpflags] & tcp-rst != 0", why, &at), 0);
	assert_int_equal(pcap_save_as(in_dir("a.x"), PCAP_FORMAT_PCAP, false, flt, &f, 1, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(read_back(in_dir("a.x"), p, 32), 1);
	assert_int_equal(p[0].tcp_flags, W5_TCP_RST);
	assert_int_equal(pcap_save_as(in_dir("b.x"), PCAP_FORMAT_PCAPNG, false, flt, &f, 1, &n), 0);
	assert_int_equal(n, 1);
	pktfilter_free(flt);
	assert_int_equal(pktfilter_new(&flt, "udp", why, &at), 0);
	assert_int_equal(pcap_save_as(in_dir("c.x"), PCAP_FORMAT_PCAP, false, flt, &f, 1, &n),
			 -ENODATA);
	pktfilter_free(flt);
}

static void test_ring_that_wrapped_gives_the_newest_packets(void **state)
{
	struct finding *f = *state;
	const struct finding *one = f;
	struct packet p[64];
	size_t n;

	flight_unref(f->flight);
	f->flight = sample_flight(78, W5_PKT_SLOTS + 5, SAMPLE_TS_NS, W5_TCP_FIN);
	flight_unref(f->attempts[0].flight);
	f->attempts[0].flight = NULL;
	assert_int_equal(pcap_save(in_dir("a.pcap"), &one, 1, &n), 0);
	assert_int_equal(read_back(in_dir("a.pcap"), p, 64), W5_PKT_SLOTS);
	assert_true(p[0].ns == SAMPLE_WALL_NS - (W5_PKT_SLOTS - 1) * 1000000ull);
	assert_int_equal(p[W5_PKT_SLOTS - 1].tcp_flags, W5_TCP_FIN);
}

/* More and longer slots than usual, after the ring has come around. */
static void test_slots_of_another_size_are_found(void **state)
{
	enum { SLOTS = 32, BYTES = 256, SEEN = 40 };
	struct finding *f = *state;
	const struct finding *one = f;
	struct flight *usual = sample_flight(78, 1, SAMPLE_TS_NS, W5_TCP_FIN);
	struct flight *big = calloc(1, offsetof(struct flight, p) + W5_PACKETS_SIZE(SLOTS, BYTES));
	struct pcap_pkthdr *h;
	const u_char *data;
	char err[PCAP_ERRBUF_SIZE];
	size_t n, i = 0;
	pcap_t *p;

	assert_non_null(big);
	big->refs = 1;
	memcpy(&big->p, &usual->p, W5_PACKETS_HEAD);
	big->p.slots = SLOTS;
	big->p.bytes8 = BYTES / 8;
	big->p.total = SEEN;
	for (uint32_t k = 0; k < SEEN; k++) {
		struct w5_packet *slot = w5_packets_slot(&big->p, k % SLOTS);

		memcpy(slot, &usual->p.pkt[0], W5_PKT_HEAD + 40);
		slot->ts_ns = SAMPLE_TS_NS + k;
		slot->room8 = BYTES / 8;
		slot->cap = BYTES;
		slot->len = 1500;
		memset(slot->data + 40, (int)k, BYTES - 40);
	}
	flight_unref(usual);
	flight_unref(f->flight);
	f->flight = big;
	flight_unref(f->attempts[0].flight);
	f->attempts[0].flight = NULL;
	assert_int_equal(pcap_save(in_dir("a.pcap"), &one, 1, &n), 0);
	assert_int_equal(n, SLOTS);
	p = pcap_open_offline(in_dir("a.pcap"), err);
	assert_non_null(p);
	for (; pcap_next_ex(p, &h, &data) == 1; i++) {
		assert_int_equal(h->caplen, BYTES);
		assert_int_equal(h->len, 1500);
		assert_int_equal(data[BYTES - 1], SEEN - SLOTS + i);
	}
	assert_int_equal(i, SLOTS);
	pcap_close(p);
}

static void test_a_packet_in_two_dumps_is_written_once(void **state)
{
	struct finding *f = *state, *later = sample_finding();
	const struct finding *both[] = { f, later };
	struct packet p[64];
	size_t n;

	/* The same conn, dumped again one packet later. */
	later->flight->p = f->flight->p;
	later->flight->p.pkt[3] = later->flight->p.pkt[2];
	later->flight->p.pkt[3].ts_ns += 1000;
	later->flight->p.total = 4;
	assert_int_equal(pcap_save(in_dir("a.pcap"), both, 2, &n), 0);
	assert_int_equal(n, 8);
	assert_int_equal(read_back(in_dir("a.pcap"), p, 64), 8);
	finding_unref(later);
}

static void test_hostile_dumps_do_no_harm(void **state)
{
	struct finding *f = *state;
	const struct finding *one = f;
	struct w5_packets *p = &f->flight->p;
	struct packet back[64];
	size_t n;

	p->total = UINT32_MAX;
	for (int i = 0; i < W5_PKT_SLOTS; i++) {
		memset(&p->pkt[i], 0xff, sizeof(p->pkt[i])); /* cap 65535, time beyond all */
		p->pkt[i].room8 = 0; /* the engine sets it, whatever came in */
		p->pkt[i].data[0] = i % 2 ? 0x45 : 0x00;
	}
	p->pkt[3].len = 0;
	p->pkt[5].cap = 0;
	assert_int_equal(pcap_save(in_dir("a.pcap"), &one, 1, &n), 0);
	assert_int_equal(read_back(in_dir("a.pcap"), back, 64), (int)n);
	for (size_t i = 0; i < n; i++) {
		assert_true(back[i].caplen <= W5_PKT_BYTES);
		assert_true(back[i].len >= back[i].caplen);
	}
}

static void test_no_packets_no_file(void **state)
{
	struct finding *f = *state;
	const struct finding *one = f;

	f->flight->p.total = 0;
	flight_unref(f->attempts[0].flight);
	f->attempts[0].flight = NULL;
	assert_int_equal(pcap_save(in_dir("a.pcap"), &one, 1, NULL), -ENODATA);
	assert_int_equal(files_in_dir(), 0);
}

static void test_errors_leave_nothing_behind(void **state)
{
	const struct finding *f = *state;

	assert_int_equal(pcap_save(in_dir("none/a.pcap"), &f, 1, NULL), -ENOENT);
	assert_int_equal(mkdir(in_dir("taken.pcap"), 0700), 0);
	assert_int_equal(pcap_save(in_dir("taken.pcap"), &f, 1, NULL), -EISDIR);
	assert_int_equal(files_in_dir(), 1);
}

/* What people open it with: no word on stderr, and the RST is seen. */
static void test_tshark_reads_it_without_a_warning(void **state)
{
	const struct finding *f = *state;
	char cmd[2 * PATH_MAX], line[256];
	bool has_rst = false;
	FILE *out;

	if (system("command -v tshark >/dev/null 2>&1"))
		skip();
	assert_int_equal(pcap_save(in_dir("a.pcap"), &f, 1, NULL), 0);
	snprintf(cmd, sizeof(cmd),
		 "tshark -r '%s' 2>'%s/err' | cat; grep -v 'Running as user' '%s/err'",
		 in_dir("a.pcap"), dir, dir);
	out = popen(cmd, "r");
	while (fgets(line, sizeof(line), out)) {
		has_rst |= !!strstr(line, "[RST]");
		if (strstr(line, "alformed") || strstr(line, "ogus") || strstr(line, "tshark:"))
			fail_msg("%s", line);
	}
	pclose(out);
	assert_true(has_rst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_both_legs_in_time_order_with_wall_clock),
		TEST(test_the_backend_side_alone),
		TEST(test_a_packet_filter_leaves_out),
		TEST(test_ring_that_wrapped_gives_the_newest_packets),
		TEST(test_slots_of_another_size_are_found),
		TEST(test_a_packet_in_two_dumps_is_written_once),
		TEST(test_hostile_dumps_do_no_harm),
		TEST(test_no_packets_no_file),
		TEST(test_errors_leave_nothing_behind),
		TEST(test_tshark_reads_it_without_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
