/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One message of the domain name system (RFC 1035), as far as its kept bytes go. The bytes are
 * hostile: nothing is read beyond them, and compression must point backwards (4.1.4), so that no
 * name can go round in circles.
 */
#ifndef BASE_DNS_H
#define BASE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

#define DNS_NAME_MAX  256
#define DNS_ADDRS_MAX 16

#define DNS_NXDOMAIN 3

#define DNS_TYPE_A    1
#define DNS_TYPE_AAAA 28

struct dns_message {
	uint16_t id, qtype;
	uint8_t rcode;
	bool is_answer;
	bool is_cut; /* TC: it will be asked again over TCP */
	bool whole;  /* every answer announced was read */
	/* Asked for; lower case, printable ASCII. "" where an answer does not repeat it. */
	char name[DNS_NAME_MAX];
	size_t naddrs;
	struct w5_addr addrs[DNS_ADDRS_MAX];
	uint32_t ttl_s; /* the shortest of the addresses' */
};

/* False: no such message, or no question for the address of one name. */
bool dns_parse(struct dns_message *m, const void *bytes, size_t len);
/* A question for an address of name, into buf; its length, 0 = it is no name or does not fit. */
size_t dns_ask(void *buf, size_t cap, uint16_t id, const char *name, uint16_t type);
/* "NXDOMAIN (no such name)"; "rcode 23" for those without a name. Writes into text of 32 bytes. */
const char *dns_rcode_text(char text[32], uint8_t rcode);

#endif
