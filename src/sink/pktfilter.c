/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the compiled program. Words are checked before libpcap sees the expression. */
#include "sink/pktfilter.h"

#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define EXPR_MAX 1024

struct pktfilter {
	struct bpf_program prog;
	bool is_compiled; /* else everything matches */
};

/* What pcap-filter(7) knows and packets that begin at the IP header can have. */
static const char *const words[] = {
	"and",	     "or",	 "not",	    "host",	  "net",      "mask",	 "port",
	"portrange", "src",	 "dst",	    "less",	  "greater",  "len",	 "ip",
	"ip6",	     "tcp",	 "proto",   "protochain", "tcpflags", "tcp-fin", "tcp-syn",
	"tcp-rst",   "tcp-push", "tcp-ack", "tcp-urg",	  "tcp-ece",  "tcp-cwr", "udp",
	"icmp",	     "icmp6",	 "inbound", "outbound",
};

static size_t word_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("_.:-", s[n])))
		n++;
	/* tcp[13:1] ends before the bracket anyway; a trailing colon is not of the word */
	return n;
}

static bool is_known(const char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == len && !memcmp(words[i], s, len))
			return true;
	return false;
}

/* fe80::1; what else begins with a letter would be looked up as a name */
static bool is_ip6(const char *s, size_t len)
{
	return memchr(s, ':', len) && strspn(s, "0123456789abcdefABCDEF:.") >= len;
}

static int check_words(const char *expr, char why[PKTFILTER_WHY_MAX], size_t *at)
{
	for (const char *s = expr; *s;) {
		size_t len = word_length(s);

		if (isalpha((unsigned char)*s) && !is_known(s, len) && !is_ip6(s, len)) {
			*at = (size_t)(s - expr);
			snprintf(why, PKTFILTER_WHY_MAX,
				 "%.*s is no word of pcap-filter; names are not looked up",
				 (int)min_size(len, 30), s);
			return -EINVAL;
		}
		s += len ? len : 1;
	}
	return 0;
}

static int compile(struct pktfilter *flt, const char *expr, char why[PKTFILTER_WHY_MAX], size_t *at)
{
	pcap_t *dead = pcap_open_dead(DLT_RAW, 65535);
	int err = 0;

	if (!dead)
		return -ENOMEM;
	if (pcap_compile(dead, &flt->prog, expr, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(why, PKTFILTER_WHY_MAX, "%.90s", pcap_geterr(dead));
		*at = strlen(expr); /* libpcap does not say where */
		err = -EINVAL;
	} else {
		flt->is_compiled = true;
	}
	pcap_close(dead);
	return err;
}

int pktfilter_new(struct pktfilter **out, const char *expr, char why[PKTFILTER_WHY_MAX], size_t *at)
{
	struct pktfilter *flt;
	int err;

	*at = 0;
	if (strlen(expr) > EXPR_MAX) {
		snprintf(why, PKTFILTER_WHY_MAX, "too long");
		return -EINVAL;
	}
	err = check_words(expr, why, at);
	if (err)
		return err;
	flt = calloc(1, sizeof(*flt));
	if (!flt)
		return -ENOMEM;
	if (expr[strspn(expr, " \t")])
		err = compile(flt, expr, why, at);
	if (err) {
		pktfilter_free(flt);
		return err;
	}
	*out = flt;
	return 0;
}

void pktfilter_free(struct pktfilter *flt)
{
	if (flt && flt->is_compiled)
		pcap_freecode(&flt->prog);
	free(flt);
}

bool pktfilter_match(const struct pktfilter *flt, const struct w5_packet *pkt)
{
	struct pcap_pkthdr hdr = {
		.caplen = (bpf_u_int32)min_size(min_size(pkt->cap, w5_packet_room(pkt)), pkt->len),
		.len = pkt->len,
	};

	return !flt || !flt->is_compiled || pcap_offline_filter(&flt->prog, &hdr, pkt->data);
}
