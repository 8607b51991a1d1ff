/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"

int save_file(const char *path, int (*write)(void *self, FILE *file), void *self)
{
	w5_auto(freep) char *tmp = NULL;
	w5_auto(fclosep) FILE *file = NULL;
	int fd, err;

	if (asprintf(&tmp, "%s.XXXXXX", path) < 0) {
		tmp = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(tmp, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "w");
	if (!file) {
		err = -errno;
		close(fd);
	} else {
		errno = 0;
		err = write(self, file);
		if (fclose(take_ptr(file)) && !err)
			err = -errno;
	}
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}
