/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sysv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int sysv_find(const struct ipckit_name *name, int (*get)(key_t key), int *id)
{
	key_t key;
	int r;

	if (name->kind == IPCKIT_NAME_ID) {
		*id = name->id;
		return 0;
	}
	r = ipckit_name_key(name, &key);
	if (!r)
		r = get(key);
	if (r < 0)
		return r;
	*id = r;
	return 0;
}

/* An identifier is made up of the place and a sequence number. */
int sysv_stat_any(int id, int (*at)(int place, void *ds), void *ds)
{
	static const int places[] = { 0x7fff, 0xffffff }; /* without and with the kernel's ipcmni_extend */

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (at(id & places[i], ds) == id)
			return 0;
	return -EACCES;
}

char *sysv_name(int64_t id)
{
	char name[32];

	snprintf(name, sizeof(name), "id:%" PRId64, id);
	return strdup(name);
}
