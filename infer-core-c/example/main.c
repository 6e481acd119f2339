/* A firmware in C: writes what the model makes of a prefix, on the board's console. */

#include "board.h"
#include "charcell.h"

#define PREFIX "traveller"
#define LENGTH 200

/* For up to 256 hidden units, 64 characters and one layer. */
static _Alignas(CHARCELL_MEMORY_ALIGNMENT) uint8_t memory[CHARCELL_MEMORY_BYTES(256, 64, 1)];

/* Continues the prefix from the start of a text. */
static charcell_status write_text(charcell_generator *generator, const charcell_sampling *sampling) {
  charcell_status status = charcell_restart(generator, sampling);
  if (status == CHARCELL_STATUS_OK) {
    status = charcell_prime(generator, PREFIX, sizeof PREFIX - 1);
  }
  board_write(PREFIX);
  for (int i = 0; i < LENGTH && status == CHARCELL_STATUS_OK; i++) {
    char character[CHARCELL_CHARACTER_BYTES];
    status = charcell_next(generator, character);
    board_write(character);
  }
  board_write("\n");
  return status;
}

int main(void) {
  charcell_generator *generator;
  charcell_status status =
      charcell_load(model_start, model_end - model_start, memory, sizeof memory, &generator);
  if (status == CHARCELL_STATUS_OK) {
    status = write_text(generator, NULL);
  }
  if (status == CHARCELL_STATUS_OK) {
    status = write_text(generator, &(charcell_sampling){.temperature_milli = 700, .seed = 7});
  }
  if (status != CHARCELL_STATUS_OK) {
    board_write(charcell_status_message(status));
    board_write("\n");
  }
  return status;
}
