/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is there whole or not at all: written under another name, renamed when complete. */
#ifndef BASE_SAVE_H
#define BASE_SAVE_H

#include <stdio.h>

/* write() gives 0 or -errno. Mode 0600. 0 or -errno; then there is no new file. */
int save_file(const char *path, int (*write)(void *self, FILE *file), void *self);

#endif
