/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_WORD_NODE_H
#define LIB_WORD_NODE_H

/*
 * Where the entry of a word in a thread's robust list may stand. A list knows one distance from its entries to
 * their words, so that a thread owns several words at once only where each has private memory of the library's
 * at the same distance before it: which those have that are open for writing.
 */

#include <ipckit/word.h>

/*
 * How far before the word there are 8 bytes for its entry, which no other word that is open has; as aligned as
 * the word is. The same for all words, or 0: this one has none (it is open for reading alone, or lies in huge
 * pages).
 */
size_t word_node_distance(const struct ipckit_word *word);

#endif
