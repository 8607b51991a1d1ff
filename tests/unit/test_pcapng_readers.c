/* SPDX-License-Identifier: BSD-2-Clause */
/* Other programs read the pcapng files: libpcap, tshark, tshark with the Lua script. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "pcapng_file.h"
#include "sample.h"
#include "sink/pcapng.h"
#include "sink/pcapout.h"

static size_t count_packets(const char *file)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, err);
	struct pcap_pkthdr *h;
	const unsigned char *data;
	size_t n = 0;

	if (!p)
		fail_msg("%s", err);
	assert_int_equal(pcap_datalink(p), DLT_LINUX_SLL);
	while (pcap_next_ex(p, &h, &data) == 1) {
		if (++n == 7)
			assert_true((uint64_t)h->ts.tv_sec * 1000000000 + (uint64_t)h->ts.tv_usec ==
				    SAMPLE_WALL_NS);
	}
	pcap_close(p);
	return n;
}

static void test_libpcap_reads_it(void **state)
{
	const struct finding *f = *state;

	assert_int_equal(pcap_save(path, &f, 1, NULL), 0);
	assert_int_equal(count_packets(path), 7);
}

static bool have_tshark(void)
{
	return !system("command -v tshark >/dev/null 2>&1");
}

/* What tshark prints for the file; a word on stderr, or of a broken packet, fails. */
static void tshark(char *out, size_t cap, const char *args)
{
	char cmd[1024];
	size_t n;
	FILE *p;

	snprintf(cmd, sizeof(cmd), "tshark -r '%s' %s 2>&1 | grep -v 'Running as user'", path,
		 args);
	p = popen(cmd, "r");
	n = fread(out, 1, cap - 1, p);
	out[n] = '\0';
	pclose(p);
	if (strstr(out, "alformed") || strstr(out, "ogus") || strstr(out, "tshark:"))
		fail_msg("%s", out);
}

static void test_tshark_shows_comments_and_names(void **state)
{
	const struct finding *f = *state;
	char out[4096];

	if (!have_tshark())
		skip();
	assert_int_equal(pcap_save(path, &f, 1, NULL), 0);
	tshark(out, sizeof(out),
	       "-Y tcp.flags.reset==1 -T fields -e frame.interface_name "
	       "-e frame.packet_flags_direction -e frame.comment");
	assert_non_null(strstr(out,
			       "backend side 10.0.3.18:8080\t0x00000001\tRST (no ACK) ttl 63 of "
			       "the backend, same ttl as SYN-ACK: decided this finding"));
}

static void test_tshark_has_fields_by_the_lua_script(void **state)
{
	const struct finding *f = *state;
	char out[4096];

	if (!have_tshark() || system("tshark --version 2>/dev/null | grep -q 'with Lua'"))
		skip();
	assert_int_equal(pcap_save(path, &f, 1, NULL), 0);
	tshark(out, sizeof(out),
	       "-X lua_script:tools/wireshark/why502.lua -Y why502.decided -T fields "
	       "-e why502.finding -e why502.cause -e why502.role -e why502.event -e why502.from "
	       "-e why502.rel_ms -e why502.attempt -e why502.upstream -e why502.decided");
	assert_string_equal(out, "17\tkeepalive-race\tbackend\trst\tbackend\t0.29\t1\t"
				 "10.0.3.18:8080\t1\n");
	tshark(out, sizeof(out),
	       "-X lua_script:tools/wireshark/why502.lua -Y 'why502.event == \"ack\"' -T fields "
	       "-e why502.role");
	assert_string_equal(out, "backend\nbackend\nclient\nbackend\nclient\nclient\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_libpcap_reads_it),
		TEST(test_tshark_shows_comments_and_names),
		TEST(test_tshark_has_fields_by_the_lua_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
