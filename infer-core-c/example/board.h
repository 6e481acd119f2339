/* What the example needs of a board. */

#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* The flash that a model lies in, from its first byte to the one after its last. */
extern const uint8_t model_start[], model_end[];

/* Writes a string to the console. */
void board_write(const char *text);

/* Waits for a byte that is typed on the console. */
char board_read(void);

#endif
