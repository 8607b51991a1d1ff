/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP errors, and the conn they are about. Pure; every length is checked first. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "source/capture_impl.h"

/* What Linux makes of them (RFC 1122 3.2.2.1, RFC 4443 3.1); 0 = no error of a conn. */
static const int icmp4_err[] = {
	ENETUNREACH,  EHOSTUNREACH, ENOPROTOOPT,  ECONNREFUSED, 0,
	EOPNOTSUPP,   ENETUNREACH,  EHOSTDOWN,	  ENONET,	ENETUNREACH,
	EHOSTUNREACH, ENETUNREACH,  EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH,
	EHOSTUNREACH
};
static const int icmp6_err[] = { ENETUNREACH,  EACCES, EHOSTUNREACH, EHOSTUNREACH,
				 ECONNREFUSED, EACCES, EACCES };

static bool icmp_parse(struct icmp_error *e, const uint8_t *ip, size_t cap, size_t *inner)
{
	size_t off = 0;

	memset(e, 0, sizeof(*e));
	if (cap >= 20 && ip[0] >> 4 == 4 && ip[9] == 1) {
		off = (size_t)(ip[0] & 0xf) * 4;
		e->from.ip[10] = e->from.ip[11] = 0xff;
		memcpy(e->from.ip + 12, ip + 12, 4);
	} else if (cap >= 40 && ip[0] >> 4 == 6 && ip[6] == 58) {
		off = 40;
		memcpy(e->from.ip, ip + 8, 16);
	}
	if (off < 20 || cap < off + 8)
		return false;
	e->type = ip[off];
	e->code = ip[off + 1];
	if (off != 40 || ip[0] >> 4 == 4)
		e->err = e->type == 3 && e->code < ARRAY_SIZE(icmp4_err) ? icmp4_err[e->code] : 0;
	else
		e->err = e->type == 1 && e->code < ARRAY_SIZE(icmp6_err) ? icmp6_err[e->code] : 0;
	*inner = off + 8;
	return e->err;
}

/* Of the packet it is about, addresses and ports are there: the 8 bytes behind the header. */
static bool icmp_about(struct w5_addr a[2], uint16_t port[2], const uint8_t *p, size_t cap)
{
	size_t off;

	memset(a, 0, 2 * sizeof(a[0]));
	if (cap >= 20 && p[0] >> 4 == 4 && p[9] == 6) {
		off = (size_t)(p[0] & 0xf) * 4;
		for (int i = 0; i < 2; i++) {
			a[i].ip[10] = a[i].ip[11] = 0xff;
			memcpy(a[i].ip + 12, p + 12 + 4 * i, 4);
		}
	} else if (cap >= 40 && p[0] >> 4 == 6 && p[6] == 6) {
		off = 40;
		memcpy(a[0].ip, p + 8, 16);
		memcpy(a[1].ip, p + 24, 16);
	} else {
		return false;
	}
	if (off < 20 || cap < off + 4)
		return false;
	port[0] = (uint16_t)(p[off] << 8 | p[off + 1]);
	port[1] = (uint16_t)(p[off + 2] << 8 | p[off + 3]);
	return true;
}

bool capture_icmp_parse(struct icmp_error *e, struct conn_id *about, const uint8_t *ip, size_t cap)
{
	struct w5_addr a[2];
	uint16_t port[2];
	size_t inner;

	if (!icmp_parse(e, ip, cap, &inner) || !icmp_about(a, port, ip + inner, cap - inner))
		return false;
	*about = conn_id(a, port, 0);
	return true;
}
