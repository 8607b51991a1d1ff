/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of look-ups share: lookups.c keeps them, lookups_blame.c asks which failed. */
#ifndef ENGINE_LOOKUPS_IMPL_H
#define ENGINE_LOOKUPS_IMPL_H

#include "engine/lookups.h"

#define NAME_ADDRS 32	/* of a name, of several answers */
#define SCAN_MAX   1024 /* questions looked at, newest first */

enum ask_end {
	ASK_OPEN,
	ASK_ANSWERED,  /* with an address */
	ASK_FAILED,    /* an rcode, or no address in the answer */
	ASK_REFUSED,   /* ICMP */
	ASK_ELSEWHERE, /* goes on over TCP, or was understood in part */
};

struct name_addr {
	struct w5_addr ip;
	uint64_t first_ns, last_ns; /* answers that had it */
};

struct name {
	struct list lru;
	uint64_t key;
	int gw;
	uint64_t ok_ns; /* newest answer with an address */
	uint64_t route; /* of the newest request whose own thread asked for it */
	struct name_addr addrs[NAME_ADDRS]; /* it stands for, or stood for */
	size_t naddrs;
	char text[DNS_NAME_MAX];
};

struct ask {
	struct list by_time;
	struct name *name;
	uint64_t cookie, hint_cookie, hint_ns;
	uint64_t asker;	  /* exchange: the conn of the hint, or its stream; 0 = open which one */
	uint64_t used_by; /* the connect it was for, if it was seen */
	uint64_t sent_ns, end_ns;
	struct w5_addr server;
	uint32_t tgid, tid;
	uint16_t id, err;
	uint8_t rcode, end;
};

struct lookups {
	struct list asks; /* oldest first */
	size_t nasks;
	struct hash names;
	struct list lru;
	size_t nnames;
};

struct name *lookups_name(const struct lookups *g, int gw, const char *text);

#endif
