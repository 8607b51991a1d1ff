/* SPDX-License-Identifier: BSD-2-Clause */
/* See tlshello.h. A reader that runs dry says so; no length from the wire is trusted. */
#include "engine/tlshello.h"

#include "base/util.h"

#define RECORD_ALERT	 0x15
#define RECORD_HANDSHAKE 0x16
#define CLIENT_HELLO	 1
#define SERVER_HELLO	 2

#define EXT_SERVER_NAME	       0
#define EXT_ALPN	       16
#define EXT_SUPPORTED_VERSIONS 43

#define RANDOM_BYTES 32

struct reader {
	const uint8_t *p;
	size_t left;
	bool dry; /* asked for more than there is */
};

static const uint8_t *take(struct reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (n > r->left) {
		r->dry = true;
		r->left = 0;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

/* Big-endian, n bytes (at most 3); 0 if they are not there. */
static uint32_t number(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);
	uint32_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* A vector with a length of n bytes before it: what is there of it, and whether that is all. */
static struct reader vector(struct reader *r, size_t n)
{
	size_t len = number(r, n), have = min_size(len, r->left);
	struct reader v = { .p = r->p, .left = have };

	v.dry = r->dry || have < len;
	if (v.dry) {
		r->dry = true;
		r->left = 0;
		return v;
	}
	take(r, have);
	return v;
}

/* ---- extensions ---- */

static void read_names(struct tls_hello *h, struct reader ext)
{
	struct reader list = vector(&ext, 2), name;

	if (number(&list, 1) != 0) /* host_name: the only type there is */
		return;
	name = vector(&list, 2);
	/* A name that is cut is no name: what is missing may be what matters. */
	if (!name.dry && name.left)
		h->sni = (struct span){ .p = name.p, .len = name.left };
}

static void read_alpn(struct tls_hello *h, struct reader ext)
{
	struct reader list = vector(&ext, 2), first = vector(&list, 1);

	if (!first.dry && first.left)
		h->alpn = (struct span){ .p = first.p, .len = first.left };
}

/* 0x0a0a, 0x1a1a, ...: reserved values that a peer must ignore (RFC 8701 2). */
static bool is_grease(uint32_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void read_versions(struct tls_hello *h, struct reader ext)
{
	struct reader list = vector(&ext, 1);
	uint16_t newest = 0, oldest = 0;

	while (list.left >= 2) {
		uint16_t v = (uint16_t)number(&list, 2);

		if (is_grease(v))
			continue;
		if (!newest || v > newest)
			newest = v;
		if (!oldest || v < oldest)
			oldest = v;
	}
	if (!newest || list.dry)
		return;
	h->newest = newest;
	h->oldest = oldest;
	h->versions_known = true;
}

static void read_extensions(struct tls_hello *h, struct reader *r)
{
	struct reader all = vector(r, 2);
	bool cut = all.dry;

	all.dry = false;
	while (all.left) {
		uint32_t type = number(&all, 2);
		struct reader ext = vector(&all, 2);

		if (all.dry)
			break;
		if (type == EXT_SERVER_NAME)
			read_names(h, ext);
		else if (type == EXT_ALPN)
			read_alpn(h, ext);
		else if (type == EXT_SUPPORTED_VERSIONS)
			read_versions(h, ext);
	}
	h->whole = !cut && !all.dry;
}

/* ---- messages ---- */

/* Up to the handshake message's body, which may go on beyond the kept bytes. */
static bool open_message(struct reader *r, unsigned int type, size_t *total)
{
	if (number(r, 1) != RECORD_HANDSHAKE || number(r, 1) != 3)
		return false;
	number(r, 1); /* minor version: means nothing (RFC 8446 5.1) */
	*total = TLS_RECORD_HDR + number(r, 2);
	if (number(r, 1) != type)
		return false;
	number(r, 3); /* length: a message may be spread over records */
	return !r->dry;
}

bool tls_hello_parse(struct tls_hello *h, const uint8_t *p, size_t len)
{
	struct reader r = { .p = p, .left = len };

	*h = (struct tls_hello){ 0 };
	if (!open_message(&r, CLIENT_HELLO, &h->total))
		return false;
	h->newest = h->oldest = (uint16_t)number(&r, 2);
	take(&r, RANDOM_BYTES);
	vector(&r, 1); /* session id */
	vector(&r, 2); /* cipher suites */
	vector(&r, 1); /* compression methods */
	if (r.dry)
		return !!h->newest;
	if (!r.left && len >= h->total) { /* no extensions: TLS 1.2 at most */
		h->whole = h->versions_known = true;
		return true;
	}
	read_extensions(h, &r);
	if (h->whole)
		h->versions_known = true; /* no such extension: the legacy field says it */
	return true;
}

uint16_t tls_server_version(const uint8_t *p, size_t len)
{
	struct reader r = { .p = p, .left = len }, all;
	uint16_t version;
	size_t total;

	if (!open_message(&r, SERVER_HELLO, &total))
		return 0;
	version = (uint16_t)number(&r, 2);
	take(&r, RANDOM_BYTES);
	vector(&r, 1); /* session id */
	take(&r, 3);   /* cipher suite, compression method */
	all = vector(&r, 2);
	all.dry = false;
	while (all.left) {
		uint32_t type = number(&all, 2);
		struct reader ext = vector(&all, 2);

		if (!all.dry && type == EXT_SUPPORTED_VERSIONS && ext.left == 2)
			return (uint16_t)number(&ext, 2);
	}
	return version;
}

uint16_t tls_alert_in_clear(const uint8_t *p, size_t len)
{
	struct reader r = { .p = p, .left = len };

	while (r.left) {
		uint32_t type = number(&r, 1), major = number(&r, 1);
		struct reader record;

		number(&r, 1);
		record = vector(&r, 2);
		if (record.dry || major != 3)
			return 0;
		/* Level and description; an encrypted one is longer. */
		if (type == RECORD_ALERT && record.left == 2)
			return 0x100 | record.p[1];
	}
	return 0;
}

/* ---- names ---- */

static const struct {
	uint8_t description;
	const char *name;
} alerts[] = {
	{ 0, "close_notify" },
	{ 10, "unexpected_message" },
	{ 20, "bad_record_mac" },
	{ 21, "decryption_failed" },
	{ 22, "record_overflow" },
	{ 30, "decompression_failure" },
	{ 40, "handshake_failure" },
	{ 41, "no_certificate" },
	{ 42, "bad_certificate" },
	{ 43, "unsupported_certificate" },
	{ 44, "certificate_revoked" },
	{ 45, "certificate_expired" },
	{ 46, "certificate_unknown" },
	{ 47, "illegal_parameter" },
	{ 48, "unknown_ca" },
	{ 49, "access_denied" },
	{ 50, "decode_error" },
	{ 51, "decrypt_error" },
	{ 60, "export_restriction" },
	{ 70, "protocol_version" },
	{ 71, "insufficient_security" },
	{ 80, "internal_error" },
	{ 86, "inappropriate_fallback" },
	{ 90, "user_canceled" },
	{ 100, "no_renegotiation" },
	{ 109, "missing_extension" },
	{ 110, "unsupported_extension" },
	{ 111, "certificate_unobtainable" },
	{ 112, "unrecognized_name" },
	{ 113, "bad_certificate_status_response" },
	{ 114, "bad_certificate_hash_value" },
	{ 115, "unknown_psk_identity" },
	{ 116, "certificate_required" },
	{ 120, "no_application_protocol" },
	{ 121, "ech_required" },
};

const char *tls_alert_name(unsigned int description)
{
	for (size_t i = 0; i < ARRAY_SIZE(alerts); i++) {
		if (alerts[i].description == description)
			return alerts[i].name;
	}
	return NULL;
}

const char *tls_version_name(uint16_t version)
{
	static const char *const names[] = { "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2",
					     "TLS 1.3" };

	if (version >> 8 != 3 || (version & 0xff) >= ARRAY_SIZE(names))
		return "an unknown version";
	return names[version & 0xff];
}
