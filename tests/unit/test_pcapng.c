/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pcap/pcap.h>

#include "pcapng_file.h"
#include "sample.h"
#include "sink/pcapng.h"
#include "sink/pcapout.h"

/* The bytes the draft asks for, said once more and apart from the writer. */
struct expected {
	uint8_t b[16384];
	size_t n, block;
};

static void e_bytes(struct expected *e, const void *p, size_t n)
{
	assert_true(n <= sizeof(e->b) - e->n);
	memcpy(e->b + e->n, p, n);
	e->n += n;
}

static void e32(struct expected *e, uint32_t v)
{
	uint8_t le[4] = { v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24 };

	e_bytes(e, le, 4);
}

static void e_begin(struct expected *e, uint32_t type)
{
	e->block = e->n;
	e32(e, type);
	e32(e, 0);
}

static void e_end(struct expected *e)
{
	uint32_t len = (uint32_t)(e->n - e->block) + 4;

	e32(e, len);
	e->b[e->block + 4] = len & 0xff;
	e->b[e->block + 5] = len >> 8 & 0xff;
}

static void e_option(struct expected *e, uint16_t code, const void *p, size_t n)
{
	e32(e, code | (uint32_t)n << 16);
	e_bytes(e, p, n);
	while (n++ % 4)
		e_bytes(e, "", 1);
}

static void e_text(struct expected *e, uint16_t code, const char *s)
{
	e_option(e, code, s, strlen(s));
}

static void e_interface(struct expected *e, const char *name)
{
	e_begin(e, 1);
	e32(e, 113); /* LINKTYPE_LINUX_SLL */
	e32(e, 0);
	e_text(e, 2, name);
	e_option(e, 9, "\x09", 1);
	e32(e, 0);
	e_end(e);
}

static void e_packet(struct expected *e, uint32_t iface, uint64_t ns, const struct w5_packet *p,
		     const char *words)
{
	e_begin(e, 6);
	e32(e, iface);
	e32(e, (uint32_t)(ns >> 32));
	e32(e, (uint32_t)ns);
	e32(e, 16 + p->cap);
	e32(e, 16 + p->len);
	e_bytes(e, p->out ? "\0\4" : "\0\0", 2);
	e_bytes(e, "\xff\xfe\0\0\0\0\0\0\0\0\0\0\x08", 14);
	e_bytes(e, p->data, p->cap);
	e_option(e, 2, p->out ? "\2\0\0" : "\1\0\0", 4);
	e_text(e, 1, words);
	e32(e, 0);
	e_end(e);
}

static void e_stats(struct expected *e, uint32_t iface, uint64_t ns, const char counts[3])
{
	static const uint16_t codes[3] = { 4, 5, 8 }; /* seen, not kept, kept */

	e_begin(e, 5);
	e32(e, iface);
	e32(e, (uint32_t)(ns >> 32));
	e32(e, (uint32_t)ns);
	for (size_t i = 0; i < 3; i++) {
		char v[8] = { counts[i] };

		e_option(e, codes[i], v, 8);
	}
	e32(e, 0);
	e_end(e);
}

static size_t read_file(uint8_t *out, size_t cap)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, cap, f);
	fclose(f);
	return n;
}

#define SECTION                                                                                  \
	"why502 finding 17: POST /api/cart of client 198.51.100.4:51034 got 502 after 0.402 ms " \
	"(gateway-made)\n"                                                                       \
	"keepalive-race (certain): the backend closed the idle connection just as the gateway "  \
	"reused it\n"                                                                            \
	"evidence: FIN from backend 0.219 ms before our request reached it\n"                    \
	"next: make the gateway's upstream keepalive timeout shorter\n"                          \
	"why502.finding=17\n"                                                                    \
	"why502.ts=2026-11-22T12:06:21.341402Z\n"                                                \
	"why502.status=502\n"                                                                    \
	"why502.verdict=gateway-made\n"                                                          \
	"why502.cause=keepalive-race\n"                                                          \
	"why502.confidence=certain\n"                                                            \
	"why502.proxy_status=connection_terminated\n"                                            \
	"why502.gateway=nginx\n"                                                                 \
	"why502.pid=2217\n"                                                                      \
	"why502.client=198.51.100.4:51034\n"                                                     \
	"why502.method=POST\n"                                                                   \
	"why502.target=/api/cart\n"                                                              \
	"why502.host=shop.example\n"                                                             \
	"why502.attempts=1\n"                                                                    \
	"why502.upstream=10.0.3.18:8080\n"                                                       \
	"why502.end=rst\n"                                                                       \
	"why502.witness=target,thread\n"                                                         \
	"why502.lost=0"

#define KEYS \
	"\nwhy502.finding=17 why502.cause=keepalive-race why502.confidence=certain why502.status=502"

/* One packet of each leg, of the backend's 20 of which 16 are kept: to the byte. */
static void test_every_byte_is_as_the_draft_says(void **state)
{
	struct finding *f = *state;
	const struct finding *one = f;
	static struct expected e;
	static uint8_t got[sizeof(e.b)];
	struct w5_packets *up = &f->attempts[0].flight->p, *down = &f->flight->p;
	size_t n;

	down->total = 1;
	down->pkt[0].ts_ns = SAMPLE_TS_NS - 402000;
	up->total = 20; /* and most slots hold nothing that is IP */
	memset(up->pkt, 0, sizeof(up->pkt[0]) * 3);
	memset(&e, 0, sizeof(e));
	e_begin(&e, 0x0a0d0d0a);
	e32(&e, 0x1a2b3c4d);
	e32(&e, 1);
	e32(&e, UINT32_MAX);
	e32(&e, UINT32_MAX);
	e_text(&e, 4, "why502 " W5_VERSION);
	e_text(&e, 1, SECTION);
	e32(&e, 0);
	e_end(&e);
	e_interface(&e, "client side 203.0.113.1:80 nginx/2217");
	e_interface(&e, "backend side 10.0.3.18:8080");
	e_packet(&e, 0, SAMPLE_WALL_NS - 402000, &down->pkt[0],
		 "ACK of the gateway" KEYS " why502.role=client why502.event=ack "
		 "why502.from=gateway why502.rel_ms=0.000000");
	e_packet(
		&e, 1, SAMPLE_WALL_NS - 112000, &up->pkt[3],
		"RST (no ACK) ttl 63 of the backend, same ttl as SYN-ACK: decided this finding" KEYS
		" why502.role=backend why502.event=rst why502.from=backend why502.rel_ms=0.290000 "
		"why502.attempt=1 why502.upstream=10.0.3.18:8080 "
		"why502.attempt_cause=keepalive-race why502.decided=1");
	e_stats(&e, 0, SAMPLE_WALL_NS - 402000, "\1\0\1");
	e_stats(&e, 1, SAMPLE_WALL_NS - 112000, "\24\23\1");

	assert_int_equal(pcap_save(path, &one, 1, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(read_file(got, sizeof(got)), e.n);
	assert_memory_equal(got, e.b, e.n);
}

/* A dump that two findings share is written once, and says what it means for each. */
static void test_a_packet_of_two_findings_has_two_comments(void **state)
{
	struct finding *f = *state, *later = sample_finding();
	const struct finding *both[] = { f, later };
	static uint8_t got[65536];
	size_t n, len, comments = 0;

	later->id = 18;
	assert_int_equal(pcap_save(path, both, 2, &n), 0);
	assert_int_equal(n, 7);
	len = read_file(got, sizeof(got) - 1);
	for (uint8_t *p = got; (p = memmem(p, (size_t)(got + len - p), "\nwhy502.finding=18 ", 19));
	     p++)
		comments++;
	finding_unref(later);
	assert_int_equal(comments, 7);
}

static void test_the_size_is_known_before_it_is_written(void **state)
{
	const struct finding *f = *state;
	struct pcapng *p = NULL;
	static uint8_t got[65536];
	uint64_t bytes;

	assert_int_equal(pcapng_new(&p, &f, 1, false, NULL), 0);
	assert_int_equal(pcapng_write(p, NULL, &bytes), 0);
	pcapng_free(p);
	assert_int_equal(pcap_save(path, &f, 1, NULL), 0);
	assert_int_equal(read_file(got, sizeof(got)), bytes);
}

/* Neither a line, nor a key, nor anything but ASCII comes out of a request. */
static void test_hostile_bytes_stay_escaped(void **state)
{
	struct finding *f = *state;
	struct w5_packet *p = &f->flight->p.pkt[0];
	static const char request[] = "GET /a\nwhy502.cause=none\x1b]0;\xff HTTP/1.1\r\n\r\n";
	struct buf words;
	const struct finding *one = f;
	static uint8_t got[65536];
	size_t len;

	strcpy(f->target, "/x\nwhy502.cause=conn-refused\n\x1b[2J\xff\xc3\\");
	strcpy(f->method, "\nwhy502.");
	strcpy(f->host, "a\r\nwhy502.verdict=silent");
	strcpy(f->request_id, "\n\n");
	strcpy(f->gateway_name, "ng\nwhy502.x=\x80");
	p->out = 0;
	memcpy(p->data + 40, request, sizeof(request) - 1);
	p->data[3] = (uint8_t)(40 + sizeof(request) - 1);
	p->len = p->cap = p->data[3];

	buf_init(&words, 65536);
	pcapng_finding_words(&words, f);
	for (size_t i = 0; i < words.len; i++)
		assert_true(words.data[i] == '\n' ||
			    (words.data[i] >= ' ' && words.data[i] <= '~'));
	buf_put(&words, "", 1);
	assert_non_null(strstr(words.data, "why502.target=/x\\x0awhy502.cause=conn-refused\\x0a"));
	assert_null(strstr(words.data, "\nwhy502.cause=conn-refused"));
	assert_null(strstr(words.data, "\nwhy502.verdict=silent"));
	assert_null(strstr(words.data, "\nwhy502.x="));
	buf_fini(&words);

	assert_int_equal(pcap_save(path, &one, 1, NULL), 0);
	len = read_file(got, sizeof(got));
	assert_non_null(memmem(got, len, "request GET /a\\x0awhy502.cause=none\\x1b", 37)
				?: memmem(got, len, "request GET /a of the client", 28));
	assert_null(memmem(got, len, "client side 203.0.113.1:80 ng\n", 30));
}

static void test_broken_dumps_do_no_harm(void **state)
{
	struct finding *f = *state;
	const struct finding *one = f;
	struct w5_packets *p = &f->flight->p;
	size_t n;

	p->total = UINT32_MAX;
	for (int i = 0; i < W5_PKT_SLOTS; i++) {
		memset(&p->pkt[i], 0xff, sizeof(p->pkt[i]));
		p->pkt[i].room8 = 0; /* the engine sets it, whatever came in */
		p->pkt[i].data[0] = i % 2 ? 0x45 : 0x00;
	}
	f->wall_ns = UINT64_MAX;
	assert_int_equal(pcap_save(path, &one, 1, &n), 0);
	assert_true(n > 0);
	f->flight->p.total = 0;
	flight_unref(f->attempts[0].flight);
	f->attempts[0].flight = NULL;
	assert_int_equal(pcap_save(path, &one, 1, &n), -ENODATA);
}

static void test_the_name_decides_the_format(void **state)
{
	assert_int_equal(pcap_format_of("a.pcap"), PCAP_FORMAT_PCAP);
	assert_int_equal(pcap_format_of("a.pcapng"), PCAP_FORMAT_PCAPNG);
	assert_int_equal(pcap_format_of("a.pcap.d/x"), PCAP_FORMAT_PCAPNG);
	assert_int_equal(pcap_format_of("x"), PCAP_FORMAT_PCAPNG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		TEST(test_every_byte_is_as_the_draft_says),
		TEST(test_a_packet_of_two_findings_has_two_comments),
		TEST(test_the_size_is_known_before_it_is_written),
		TEST(test_hostile_bytes_stay_escaped),
		TEST(test_broken_dumps_do_no_harm),
		TEST(test_the_name_decides_the_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
