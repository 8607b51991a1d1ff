/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ordinary captures (pcap, pcapng) as a source of records: packets in, out come the turns that
 * the kernel side makes of the same packets (bpf/turn.h, bpf/down.h, bpf/up.h), so that the same engine
 * explains them. A capture tells nothing of processes and threads; the SESSION record says that
 * it was one (W5_SESSION_CAPTURE), and the engine is less sure.
 *
 * The file is read twice: first to find out who is a gateway, and which connects were never
 * answered; then to follow the gateways' conns.
 */
#ifndef SOURCE_CAPTURE_H
#define SOURCE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

#define CAPTURE_GATEWAYS_MAX 16

/* An address of the gateway, given by hand. */
struct capture_gateway {
	struct w5_addr ip;
	uint16_t port; /* its clients connect to; 0 = any that HTTP requests come to */
};

struct capture_cfg {
	struct capture_gateway gateways[CAPTURE_GATEWAYS_MAX];
	size_t ngateways; /* 0 = find out */
};

/* "10.77.1.1", "10.77.1.1:8080", "fd77::1", "[fd77::1]:8080". 0 or -EINVAL. */
int capture_gateway_parse(struct capture_gateway *out, const char *arg);

/* By its first bytes (pcap of any precision and byte order, pcapng). False if it cannot be read. */
bool capture_is(const char *path);

#define CAPTURE_ERR_MAX 512

struct capture_ops {
	/* As trace_read(): anything but 0 ends the reading and is returned. */
	int (*record)(void *self, const struct w5_hdr *rec);
	void (*say)(void *self, const char *text); /* who is a gateway; may be NULL */
};

/* 0, or -errno with one sentence in err. -ENODATA: the file is cut; all before it was read. */
int capture_read(const char *path, const struct capture_cfg *cfg, const struct capture_ops *ops,
		 void *self, char err[CAPTURE_ERR_MAX]);

/* ---- the same without a file: tests, fuzzer ---- */

struct capture;

int capture_new(struct capture **out, const struct capture_cfg *cfg, const struct capture_ops *ops,
		void *self);
void capture_free(struct capture *c); /* NULL is fine */

struct capture_packet {
	uint64_t ts_ns; /* CLOCK_REALTIME */
	int dlt;	/* DLT_*, as libpcap gives it */
	const void *data;
	size_t cap, len; /* bytes there, bytes on the wire */
	bool is_cut;	 /* by the snaplen of the capture */
};
/* First pass: every packet, then capture_scan_end(), which says how many gateways there are. */
void capture_scan(struct capture *c, const struct capture_packet *p);
size_t capture_scan_end(struct capture *c, char why_none[CAPTURE_ERR_MAX]);
/* Second pass: every packet again, then capture_end(). Value of the record callback. */
int capture_feed(struct capture *c, const struct capture_packet *p);
int capture_end(struct capture *c);

#endif
