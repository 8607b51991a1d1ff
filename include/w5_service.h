/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Local sockets that every program may connect to without having a backend there: name services,
 * logs, the bus, the service manager. glibc alone looks for nscd before it reads a file, and finds
 * none on most hosts. The same code in the kernel and in user space. In: the first bytes of a
 * sun_path, zeros after its end.
 */
#ifndef W5_SERVICE_H
#define W5_SERVICE_H

#include "w5_abi.h"

#define W5_SERVICE_PEEK 24 /* longer than "/var" and any of these */
#define W5_SERVICE_LEN	20
#define W5_SERVICE_VAR	4 /* "/var", before "/run" */

/* Where /run is /var/run the same names count. The sockets of sssd are a directory's. */
static const char w5_services[][W5_SERVICE_LEN] = {
	"/dev/log",	"/run/nscd/",  "/run/nslcd/",	     "/run/systemd/",
	"/run/dbus/",	"/run/avahi-", "/var/lib/sss/",	     "/run/samba/winbind",
	"/tmp/.winbin", "@/tmp/dbus-", "@/org/freedesktop/",
};
#define W5_SERVICES (sizeof(w5_services) / sizeof(w5_services[0]))

/* An @ stands for the zero that an abstract name begins with, as unix(7) has it. */
static inline __attribute__((always_inline)) int w5_service_at(const w5_u8 path[W5_SERVICE_PEEK],
							       int from, unsigned int nr)
{
	for (int i = 0; i < W5_SERVICE_LEN; i++) {
		w5_u8 want = w5_services[nr][i], is = path[from + i];

		if (!want)
			return 1;
		if (!i && !is)
			is = '@';
		if (is != want)
			return 0;
	}
	return 0; /* no name is so long */
}

static inline __attribute__((always_inline)) int w5_is_service(const w5_u8 path[W5_SERVICE_PEEK])
{
	int from = path[0] == '/' && path[1] == 'v' && path[2] == 'a' && path[3] == 'r' &&
				   path[4] == '/' && path[5] == 'r' && path[6] == 'u' &&
				   path[7] == 'n' && path[8] == '/'
			   ? W5_SERVICE_VAR
			   : 0;

	for (unsigned int nr = 0; nr < W5_SERVICES; nr++)
		if (w5_service_at(path, from, nr))
			return 1;
	return 0;
}

#endif
