/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kept bytes of a TLS handshake tell: the ClientHello's names and versions, the
 * version the server chose, alerts in the clear. In: wire bytes, hostile and cut anywhere;
 * nothing is read beyond len, spans point into them. No state, no allocation.
 * Numbers: RFC 8446 (4.1.2, 4.1.3, 4.2, 5.1, 6) and RFC 6066 (3).
 */
#ifndef ENGINE_TLSHELLO_H
#define ENGINE_TLSHELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/head.h"

#define TLS_RECORD_HDR 5

struct tls_hello {
	struct span sni;	 /* host_name, as sent: bytes, not text; .p NULL if not seen */
	struct span alpn;	 /* the first protocol offered */
	uint16_t newest, oldest; /* offered versions (0x0303 = TLS 1.2) */
	bool whole;		 /* read to its end: what was not seen is not there */
	bool versions_known; /* else newest is the legacy field, and TLS 1.3 may be offered too */
	size_t total;	     /* bytes of its record with header, as announced */
};
/* False if the bytes do not begin with a ClientHello. */
bool tls_hello_parse(struct tls_hello *h, const uint8_t *p, size_t len);

/* The version a ServerHello chose; 0 if the bytes do not begin with one. */
uint16_t tls_server_version(const uint8_t *p, size_t len);

/* The first alert in the clear among whole records: 0x100 | description, 0 if none. */
uint16_t tls_alert_in_clear(const uint8_t *p, size_t len);

/* "handshake_failure"; NULL for a number without a name. */
const char *tls_alert_name(unsigned int description);
/* "TLS 1.3", "SSL 3.0"; "an unknown version" otherwise. */
const char *tls_version_name(uint16_t version);

#endif
