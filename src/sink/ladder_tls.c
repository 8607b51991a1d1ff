/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS records in words, as far as their first bytes say it. */
#include "sink/ladder_impl.h"

#include <stdio.h>

#include "base/text.h"
#include "base/util.h"
#include "engine/tlshello.h"

#define CCS	  0x14 /* record types (RFC 8446 5.1) and handshake messages (4) */
#define ALERT	  0x15
#define HANDSHAKE 0x16
#define DATA	  0x17

#define CLIENT_HELLO 1
#define SERVER_HELLO 2

#define SNI_SHOWN 48

static void client_hello(char *out, size_t cap, const uint8_t *p, size_t len)
{
	char name[SNI_SHOWN + 1] = "";
	struct tls_hello h;

	if (tls_hello_parse(&h, p, len) && h.sni.p)
		text_escape(name, sizeof(name), h.sni.p, h.sni.len);
	if (name[0])
		snprintf(out, cap, "ClientHello for %s", name);
	else
		snprintf(out, cap, "ClientHello%s", h.whole ? ", no SNI" : "");
}

static void server_hello(char *out, size_t cap, const uint8_t *p, size_t len)
{
	uint16_t version = tls_server_version(p, len);

	snprintf(out, cap, "ServerHello%s%s", version ? ", " : "",
		 version ? tls_version_name(version) : "");
}

static void alert(char *out, size_t cap, const uint8_t *p, size_t len)
{
	uint16_t a = tls_alert_in_clear(p, len);
	const char *name = tls_alert_name(a & 0xff);

	if (!a)
		snprintf(out, cap, "TLS alert, encrypted");
	else
		snprintf(out, cap, name ? "TLS alert %u, %s" : "TLS alert %u", a & 0xffu, name);
}

bool ladder_tls(char *out, size_t cap, const void *bytes, size_t len, enum ladder_what *what)
{
	const uint8_t *p = bytes;

	if (len < TLS_RECORD_HDR || p[0] < CCS || p[0] > DATA || p[1] != 3)
		return false;
	*what = LADDER_DATA;
	if (p[0] == ALERT) {
		*what = LADDER_ALERT;
		alert(out, cap, p, len);
	} else if (p[0] == DATA) {
		snprintf(out, cap, "TLS data");
	} else if (p[0] == HANDSHAKE && len > TLS_RECORD_HDR && p[5] == CLIENT_HELLO) {
		*what = LADDER_HELLO;
		client_hello(out, cap, p, len);
	} else if (p[0] == HANDSHAKE && len > TLS_RECORD_HDR && p[5] == SERVER_HELLO) {
		*what = LADDER_HELLO;
		server_hello(out, cap, p, len);
	} else {
		snprintf(out, cap, "TLS handshake");
	}
	return true;
}
