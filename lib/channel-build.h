/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_CHANNEL_BUILD_H
#define LIB_CHANNEL_BUILD_H

/* What was found, made into what is told. */

#include "channel-socket.h"
#include "channel-walk.h"

struct channel_scene {
	int root; /* of /proc; -1: not opened */
	struct channel_walk walk;
	struct channel_sockets sockets;
	bool other_pids;
	pid_t copied_pid; /* whose descriptors were copied last, and */
	int pidfd;        /* -1: none */
};

/* Looks at all that there is of some kinds (bits); with_self: also at what the caller has. Ended in either case. */
IPCKIT_CHECK int channel_scene_begin(unsigned kinds, bool with_self, struct channel_scene *scene);
void channel_scene_end(struct channel_scene *scene);

/* channel-build.c: a channel by those that have it (ends; none of a socket alone), or a socket (NULL: not known). */
IPCKIT_CHECK int channel_tell_pipe(struct channel_scene *scene, const struct channel_end *ends, size_t count,
				   struct ipckit_channel_info *out);
IPCKIT_CHECK int channel_tell_socket(struct channel_scene *scene, const struct channel_socket *socket,
				     const struct channel_end *ends, size_t count, struct ipckit_channel_info *out);
/* Who has the other side. */
IPCKIT_CHECK int channel_tell_peers(struct channel_scene *scene, struct ipckit_channel_info *info);
/* Adds users, and what is known of all. */
IPCKIT_CHECK int channel_tell_users(const struct channel_scene *scene, const struct channel_end *ends, size_t count,
				    struct ipckit_channel_info *info);

/* The same with how many there are, what a pipe can hold and holds. */
IPCKIT_CHECK int channel_tell_ends(struct channel_scene *scene, const struct channel_end *ends, size_t count,
				   struct ipckit_channel_info *info);

/* channel-file.c: adds to what is told of a file who uses it. */
IPCKIT_CHECK int channel_tell_path(struct channel_scene *scene, struct ipckit_channel_info *info);

/* channel-copy.c: what of a pipe is only told by a descriptor. */
IPCKIT_CHECK int channel_ask_pipe(struct channel_scene *scene, const struct channel_end *ends, size_t count,
				  struct ipckit_channel_info *info);

/* Appends an info to a list, which takes it over. */
IPCKIT_CHECK int channel_list_add(struct ipckit_channels *list, struct ipckit_channel_info *info);
void channel_list_sort(struct ipckit_channels *list);

#endif
