/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records of names and what they stand for. Part of w5_abi.h. */
#ifndef W5_ABI_NAMES_H
#define W5_ABI_NAMES_H

#include "w5_abi.h"

/*
 * A message of the domain name system (RFC 1035) that a gateway process sent or got over UDP, or
 * the error it got in place of an answer (ICMP). h.cookie is the UDP socket's, h.seq 0.
 */
#define W5_DNS_PORT  53
#define W5_DNS_BYTES 256
enum w5_dns_kind { W5_DNS_QUERY = 1, W5_DNS_ANSWER, W5_DNS_ERROR, W5_DNS_KIND_MAX };

struct w5_dns {
	struct w5_hdr h;
	w5_u64 hint_cookie, hint_ns; /* QUERY: as in an upstream turn's w5_leg */
	struct w5_addr server;
	w5_u32 tgid, tid; /* the asking thread; tid 0 = not known */
	w5_u16 lport;
	w5_u16 total; /* bytes of the message */
	w5_u16 len;   /* valid in data[] */
	w5_u16 err;   /* ERROR: errno */
	w5_u8 kind;
	w5_u8 pad[7];
	w5_u8 data[W5_DNS_BYTES];
};

/* A name in a gateway's configuration, looked up again as that process would. */
#define W5_NAME_BYTES 128
#define W5_NAME_ADDRS 16

#define W5_NAME_OTHERS 0x1 /* the gateway may have other peers than those its configuration names */

struct w5_name {
	struct w5_hdr h; /* h.ts_ns: when the answer was there */
	w5_u32 group;	 /* tgid of its master */
	w5_u16 port;	 /* it connects to; 0 = any */
	w5_u8 naddrs;	 /* 0: it stands for nothing now */
	w5_u8 flags;	 /* W5_NAME_* */
	struct w5_addr addrs[W5_NAME_ADDRS];
	char name[W5_NAME_BYTES]; /* NUL-terminated */
};

W5_STATIC_ASSERT(sizeof(struct w5_dns) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_name) % 8 == 0, "records are 8-byte aligned");

#endif
