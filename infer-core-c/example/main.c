/* A firmware in C that continues the text typed on the board's console, with the model in flash. */

#include <stdbool.h>

#include "board.h"
#include "charcell.h"

#define LINE_BYTES 240
#define QUOTED(text) #text
#define TEXT(number) QUOTED(number)
#define LENGTH 200

static const charcell_sampling sampling = {.temperature_milli = 700, .seed = 7};

/* For up to 256 hidden units, 64 characters and one layer. */
static _Alignas(CHARCELL_MEMORY_ALIGNMENT) uint8_t memory[CHARCELL_MEMORY_BYTES(256, 64, 1)];

/* With -DRAM_BYTES=N: RAM for weights, where flash is slow. */
#ifdef RAM_BYTES
static _Alignas(CHARCELL_ARTIFACT_ALIGNMENT) uint8_t ram[RAM_BYTES];
#endif

/* Loads the model in flash; its length comes from its header. */
static charcell_status load_model(charcell_generator **generator) {
  size_t bytes;
  charcell_status status = charcell_artifact_bytes(model_start, model_end - model_start, &bytes);
  if (status != CHARCELL_STATUS_OK) {
    return status;
  }
#ifdef RAM_BYTES
  return charcell_load_with_ram(model_start, bytes, memory, sizeof memory, ram, sizeof ram, NULL,
                                generator);
#else
  return charcell_load(model_start, bytes, memory, sizeof memory, generator);
#endif
}

/* Reads and echoes a line up to the Enter key, and returns its length in bytes. A result above
   LINE_BYTES means that the line is too long and incomplete. */
static size_t read_line(char line[LINE_BYTES]) {
  size_t bytes = 0;
  for (;;) {
    const char byte = board_read();
    const bool is_delete = byte == '\b' || byte == 0x7F;
    if (byte == '\r') {
      return bytes;
    }
    if (is_delete && bytes > 0 && bytes <= LINE_BYTES) {
      /* Goes back to the first byte of a character; the others start with the bits 10. */
      while ((line[--bytes] & 0xC0) == 0x80 && bytes > 0) {
      }
      board_write("\b \b");
    } else if ((uint8_t)byte >= ' ' && !is_delete && bytes < LINE_BYTES) {
      line[bytes++] = byte;
      board_write((const char[]){byte, 0});
    } else if ((uint8_t)byte >= ' ' && !is_delete) {
      /* Lost bytes can't be deleted. */
      bytes = LINE_BYTES + 1;
      board_write("\a");
    }
  }
}

/* Writes the character whose first byte is at `start`, in a text that ends at `end`. */
static void write_character(const char *start, const char *end) {
  const char *byte = start;
  do {
    board_write((const char[]){*byte++, 0});
  } while (byte < end && (*byte & 0xC0) == 0x80);
}

/* Continues a line from the start of a text, or sets where it has an unknown character. */
static charcell_status continue_line(charcell_generator *generator, const char *line,
                                     size_t bytes, size_t *unknown_at) {
  charcell_status status = charcell_restart(generator, &sampling);
  if (status == CHARCELL_STATUS_OK) {
    status = charcell_prime(generator, line, bytes, unknown_at);
  }
  for (int i = 0; i < LENGTH && status == CHARCELL_STATUS_OK; i++) {
    char character[CHARCELL_CHARACTER_BYTES];
    status = charcell_next(generator, character);
    board_write(character);
  }
  return status;
}

int main(void) {
  charcell_generator *generator;
  const charcell_status loaded = load_model(&generator);
  for (;;) {
    board_write("\r\n> ");
    char line[LINE_BYTES];
    const size_t bytes = read_line(line);
    if (bytes > LINE_BYTES) {
      board_write("\r\na line can have up to " TEXT(LINE_BYTES) " bytes");
      continue;
    }
    size_t unknown_at = 0;
    const charcell_status status =
        loaded == CHARCELL_STATUS_OK ? continue_line(generator, line, bytes, &unknown_at) : loaded;
    if (status != CHARCELL_STATUS_OK) {
      board_write("\r\n");
      if (status == CHARCELL_STATUS_UNKNOWN_CHARACTER) {
        write_character(line + unknown_at, line + bytes);
        board_write(": ");
      }
      board_write(charcell_status_message(status));
    }
  }
}
