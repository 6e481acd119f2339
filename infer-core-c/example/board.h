/* What a board must provide for the example. */

#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* The flash for a model, from its first byte to just after its last. */
extern const uint8_t model_start[], model_end[];

/* Writes a string to the console. */
void board_write(const char *text);

/* Waits for a byte typed on the console. */
char board_read(void);

#endif
