/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What there is to say about a TLS handshake: who ended it and how, what the gateway had
 * asked for, and which setting of which gateway belongs to that.
 */
#include "engine/words.h"

#include <string.h>

#include "engine/codes.h"
#include "engine/tlshello.h"

/* A longer name is cut: the sentence must hold the rest, too. */
#define NAME_SHOWN 64

#define HOW_MAX (NAME_SHOWN * 4 + 96)

struct hello_words {
	struct tls_hello h;
	bool known;
	char sni[NAME_SHOWN * 4 + 1]; /* escaped; "" if there was none, or it was not seen */
	char asked[NAME_SHOWN * 4 + 64];
};

static void offer_text(char *out, size_t cap, const struct tls_hello *h)
{
	const char *newest = tls_version_name(h->newest);

	if (!h->versions_known)
		words_put(out, cap, "%s or newer", newest);
	else if (h->oldest == h->newest)
		words_put(out, cap, "%s only", newest);
	else
		words_put(out, cap, "%s to %s", tls_version_name(h->oldest), newest + 4);
}

static void hello_words(struct hello_words *w, const struct w5_leg *l)
{
	char offer[48];

	memset(w, 0, sizeof(*w));
	w->known = tls_hello_parse(&w->h, l->head, min_size(l->head_len, W5_HEAD_REQ));
	if (!w->known)
		return;
	offer_text(offer, sizeof(offer), &w->h);
	if (w->h.sni.p)
		text_escape(w->sni, sizeof(w->sni), w->h.sni.p, min_size(w->h.sni.len, NAME_SHOWN));
	if (w->sni[0])
		words_put(w->asked, sizeof(w->asked), "SNI \"%s\", %s", w->sni, offer);
	else
		words_put(w->asked, sizeof(w->asked), "no SNI%s, %s",
			  w->h.whole ? "" : " in the bytes kept", offer);
}

void tls_offer_words(char *out, size_t cap, const struct w5_leg *l)
{
	struct hello_words h;

	hello_words(&h, l);
	words_put(out, cap, "%s", h.asked);
}

void tls_alert_words(char *out, size_t cap, uint16_t alert)
{
	const char *name = tls_alert_name(alert & 0xff);

	words_put(out, cap, name ? "alert %u (%s)" : "alert %u", alert & 0xffu, name);
}

/* ---- why ---- */

enum arg { ARG_NONE, ARG_ALERT, ARG_ELAPSED, ARG_END };

/* before UPSTREAM mid ARG after */
static const struct why_row {
	const char *before, *mid;
	enum arg arg;
	const char *after;
} whys[] = {
	[TLS_NOT] = { "the TLS handshake with ", " failed", ARG_NONE, "" },
	[TLS_ALERT_IN] = { "", " refused the TLS handshake with ", ARG_ALERT, "" },
	[TLS_ALERT_OUT] = { "the gateway refused the TLS handshake of ", " with ", ARG_ALERT, "" },
	[TLS_ALERT_VEILED] = { "the gateway refused the TLS handshake of ",
			       " with an alert that is encrypted", ARG_NONE, "" },
	[TLS_BROKEN_OFF] = { "the gateway broke off the TLS handshake with ", " after ",
			     ARG_ELAPSED, ", without an alert" },
	[TLS_DROPPED] = { "the gateway closed as soon as the TLS handshake with ",
			  " was done, before any request", ARG_NONE, "" },
	[TLS_SILENCE] = { "", " did not answer the ClientHello; the gateway gave up after ",
			  ARG_ELAPSED, "" },
	[TLS_STALLED] = { "",
			  " fell silent in the middle of the TLS handshake; the gateway gave up "
			  "after ",
			  ARG_ELAPSED, "" },
	[TLS_CLOSED] = { "", "", ARG_END, " after the ClientHello, without a TLS answer" },
	[TLS_CLOSED_LATER] = { "", "", ARG_END,
			       " after the gateway's last message, in the middle of the TLS "
			       "handshake" },
};

static void arg_text(char *out, size_t cap, enum arg arg, const struct facts *f,
		     const struct words *w)
{
	out[0] = '\0';
	if (arg == ARG_ALERT)
		tls_alert_words(out, cap, f->alert);
	else if (arg == ARG_ELAPSED)
		words_put(out, cap, "%s", w->elapsed);
	else if (arg == ARG_END)
		words_put(out, cap, " %s the connection %s", f->peer_rst ? "reset" : "closed",
			  w->elapsed);
}

SAY_SHARED(why_tls)
{
	const struct facts *f = in->facts;
	const struct why_row *r = &whys[f->tls];
	struct hello_words h;
	char arg[64];
	size_t n;

	arg_text(arg, sizeof(arg), r->arg, f, w);
	words_put(out, cap, "%s%s%s%s%s", r->before, w->up, r->mid, arg, r->after);
	n = strlen(out);
	hello_words(&h, f->l);
	if (h.known)
		words_put(out + n, cap - n, " (offered: %s)", h.asked);
}

SAY_SHARED(why_tls_mismatch)
{
	const struct w5_leg *l = in->facts->l;
	size_t len = min_size(l->resp_len, W5_HEAD_RESP), n = 0;
	char bytes[33 * 4];

	if (l->proto == W5_PROTO_TLS) {
		while (n < len && n < 32 && l->resp[n] != '\r' && l->resp[n] != '\n')
			n++;
		text_escape(bytes, sizeof(bytes), l->resp, n);
		words_put(out, cap, "the gateway spoke TLS to %s, which answered in plain %s: %s",
			  w->up, in->facts->resp == RESP_OTHER ? "bytes" : "HTTP", bytes);
		return;
	}
	words_put(out, cap, "the gateway spoke plain HTTP to %s, which %s", w->up,
		  l->status ? "answered 400: it speaks TLS on this port" : "answered in TLS");
}

/* ---- next: by what went wrong, with the gateway's own word for the setting ---- */

struct settings {
	const char *comm;
	const char *name, *trust, *client, *versions, *scheme;
};

static const struct settings settings[] = {
	{ "nginx", "proxy_ssl_server_name on, proxy_ssl_name", "proxy_ssl_trusted_certificate",
	  "proxy_ssl_certificate", "proxy_ssl_protocols", "http:// or https:// in proxy_pass" },
	{ "haproxy", "sni on the server line", "ca-file, verifyhost", "crt on the server line",
	  "ssl-min-ver, ssl-max-ver", "ssl on the server line" },
	{ "apache2", "ProxyPreserveHost, or the name in ProxyPass", "SSLProxyCACertificateFile",
	  "SSLProxyMachineCertificateFile", "SSLProxyProtocol",
	  "http:// or https:// in ProxyPass" },
	{ "httpd", "ProxyPreserveHost, or the name in ProxyPass", "SSLProxyCACertificateFile",
	  "SSLProxyMachineCertificateFile", "SSLProxyProtocol",
	  "http:// or https:// in ProxyPass" },
	{ "caddy", "tls_server_name", "tls_trust_pool", "tls_client_auth", "its TLS versions",
	  "http:// or https:// in reverse_proxy" },
	{ "", "the gateway's SNI for it", "the gateway's trusted CAs",
	  "the gateway's client certificate", "the gateway's TLS versions",
	  "http or https in the upstream address" },
};

static const struct settings *settings_of(const struct finding *f)
{
	size_t i = 0;

	while (settings[i].comm[0] && strcmp(settings[i].comm, f->gateway_name))
		i++;
	return &settings[i];
}

struct advice {
	const struct settings *set;
	const struct words *w;
	struct hello_words h;
};

#define ADVISE(name) static void name(char *out, size_t cap, const struct advice *a)

static void try_it(char *out, size_t cap, const struct advice *a)
{
	if (a->h.sni[0])
		words_put(out, cap, "openssl s_client -connect %s -servername %s", a->w->up,
			  a->h.sni);
	else
		words_put(out, cap, "openssl s_client -connect %s -noservername", a->w->up);
}

ADVISE(set_name)
{
	if (a->h.sni[0])
		words_put(out, cap, "%s rejects SNI \"%s\": set a name that it serves (%s)",
			  a->w->up, a->h.sni, a->set->name);
	else
		words_put(out, cap, "%s needs to be told the site's name: send SNI (%s)", a->w->up,
			  a->set->name);
}

ADVISE(find_common)
{
	char how[HOW_MAX];

	if (a->h.known && !a->h.sni[0]) {
		words_put(out, cap,
			  "send SNI first (%s); else compare versions, ciphers and certificates",
			  a->set->name);
		return;
	}
	try_it(how, sizeof(how), a);
	words_put(out, cap, "no version, cipher, name or certificate suits both: try %s", how);
}

ADVISE(align_versions)
{
	char offer[48] = "what the gateway offered";

	if (a->h.known)
		offer_text(offer, sizeof(offer), &a->h.h);
	words_put(out, cap, "%s and the gateway share no TLS version (offered: %s): align %s",
		  a->w->up, offer, a->set->versions);
}

ADVISE(give_certificate)
{
	words_put(out, cap,
		  "%s does not accept the gateway's client certificate, or the lack of "
		  "one: %s",
		  a->w->up, a->set->client);
}

ADVISE(verify_certificate)
{
	char how[HOW_MAX];

	try_it(how, sizeof(how), a);
	words_put(out, cap, "check name, CA and dates of its certificate against %s: %s",
		  a->set->trust, how);
}

ADVISE(renew_certificate)
{
	words_put(out, cap, "renew the certificate of %s", a->w->up);
}

ADVISE(align_protocols)
{
	char alpn[64] = "what the gateway offers";

	if (a->h.h.alpn.p)
		text_escape(alpn, sizeof(alpn), a->h.h.alpn.p, min_size(a->h.h.alpn.len, 15));
	words_put(out, cap,
		  "%s does not speak %s over TLS (ALPN): switch HTTP/2 on there, or off "
		  "in the gateway",
		  a->w->up, alpn);
}

ADVISE(read_its_log)
{
	char how[HOW_MAX];

	try_it(how, sizeof(how), a);
	words_put(out, cap, "read the TLS error in the log of %s at this millisecond; try %s",
		  a->w->up, how);
}

ADVISE(check_port)
{
	words_put(out, cap,
		  "check that %s speaks TLS on this port, knows the name, and expects no PROXY "
		  "protocol header before it",
		  a->w->up);
}

ADVISE(check_listener)
{
	words_put(out, cap,
		  "check that %s speaks TLS on this port and still accepts (ss -ltn there): a "
		  "plain-text service waits, too",
		  a->w->up);
}

ADVISE(check_stall)
{
	words_put(out, cap,
		  "look for a stuck TLS worker of %s, and for a path MTU that its certificate "
		  "does not fit through",
		  a->w->up);
}

struct advice_row {
	enum tls_end end;
	uint8_t alert; /* 0 = any */
	void (*advise)(char *out, size_t cap, const struct advice *a);
};

/* The first row that fits. */
static const struct advice_row rows[] = {
	{ TLS_ALERT_IN, 112, set_name },
	{ TLS_ALERT_IN, 40, find_common },
	{ TLS_ALERT_IN, 70, align_versions },
	{ TLS_ALERT_IN, 71, align_versions },
	{ TLS_ALERT_IN, 86, align_versions },
	{ TLS_ALERT_IN, 41, give_certificate },
	{ TLS_ALERT_IN, 42, give_certificate },
	{ TLS_ALERT_IN, 43, give_certificate },
	{ TLS_ALERT_IN, 44, give_certificate },
	{ TLS_ALERT_IN, 45, give_certificate },
	{ TLS_ALERT_IN, 46, give_certificate },
	{ TLS_ALERT_IN, 48, give_certificate },
	{ TLS_ALERT_IN, 49, give_certificate },
	{ TLS_ALERT_IN, 116, give_certificate },
	{ TLS_ALERT_IN, 120, align_protocols },
	{ TLS_ALERT_IN, 0, read_its_log },
	{ TLS_ALERT_OUT, 45, renew_certificate },
	{ TLS_ALERT_OUT, 70, align_versions },
	{ TLS_ALERT_OUT, 0, verify_certificate },
	{ TLS_ALERT_VEILED, 0, verify_certificate },
	{ TLS_BROKEN_OFF, 0, verify_certificate },
	{ TLS_DROPPED, 0, verify_certificate },
	{ TLS_SILENCE, 0, check_listener },
	{ TLS_STALLED, 0, check_stall },
	{ TLS_CLOSED, 0, check_port },
	{ TLS_CLOSED_LATER, 0, read_its_log },
};

SAY_SHARED(next_tls)
{
	const struct facts *f = in->facts;
	struct advice a = { .set = settings_of(in->f), .w = w };

	if (!f)
		return;
	hello_words(&a.h, f->l);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].end == f->tls &&
		    (!rows[i].alert || rows[i].alert == (f->alert & 0xff))) {
			rows[i].advise(out, cap, &a);
			return;
		}
	}
	verify_certificate(out, cap, &a);
}

SAY_SHARED(next_tls_mismatch)
{
	bool spoke_tls = in->facts && in->facts->l->proto == W5_PROTO_TLS;

	words_put(out, cap, "correct the scheme of %s, or its port: %s is what it speaks (%s)",
		  w->up, spoke_tls ? "plain text" : "TLS", settings_of(in->f)->scheme);
}
