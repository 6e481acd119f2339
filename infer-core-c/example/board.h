/* What the example needs of a board. */

#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* The artifact, from its first byte to the one behind its last: model.S. */
extern const uint8_t model_start[], model_end[];

/* Writes a string to the console. */
void board_write(const char *text);

#endif
