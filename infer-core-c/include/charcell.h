/* Charcell for C: a character-level LSTM that runs from flash, without an allocator.

   Made by cbindgen from infer-core-c/src; infer-core-c/README.md says how to link it. */

#ifndef CHARCELL_H
#define CHARCELL_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of memory that are enough for a model of so many hidden units in each layer, characters and
   layers, on any core; charcell_memory_bytes tells the exact number. */
#define CHARCELL_MEMORY_BYTES(hidden, characters, layers) \
  (56 * sizeof(void *) + 32 + 4 * (characters) + (6 * (layers) + 1) * (((hidden) + 7) / 8 * 8))

/**
 * Alignment in bytes of an artifact's address.
 */
#define CHARCELL_ARTIFACT_ALIGNMENT 16

/**
 * Alignment in bytes of the memory given to charcell_load.
 */
#define CHARCELL_MEMORY_ALIGNMENT 16

/**
 * Bytes of a character in UTF-8 at the most, with a zero after it.
 */
#define CHARCELL_CHARACTER_BYTES 5

/**
 * How a call ended. Every error leaves things as they were.
 */
typedef enum charcell_status {
  /**
   * Done.
   */
  CHARCELL_STATUS_OK,
  /**
   * A pointer is null.
   */
  CHARCELL_STATUS_NULL,
  /**
   * The memory's address isn't a multiple of CHARCELL_MEMORY_ALIGNMENT.
   */
  CHARCELL_STATUS_MEMORY_MISALIGNED,
  /**
   * The memory is smaller than charcell_memory_bytes says.
   */
  CHARCELL_STATUS_MEMORY_TOO_SMALL,
  /**
   * The text isn't UTF-8.
   */
  CHARCELL_STATUS_NOT_UTF8,
  /**
   * The text has a character that the model doesn't know and the artifact doesn't replace.
   */
  CHARCELL_STATUS_UNKNOWN_CHARACTER,
  /**
   * The artifact has fewer prefixes.
   */
  CHARCELL_STATUS_NO_PREFIX,
  /**
   * The artifact's address isn't a multiple of CHARCELL_ARTIFACT_ALIGNMENT.
   */
  CHARCELL_STATUS_ARTIFACT_MISALIGNED,
  /**
   * The bytes aren't an artifact.
   */
  CHARCELL_STATUS_NOT_AN_ARTIFACT,
  /**
   * The artifact was written for another version, or by a newer one.
   */
  CHARCELL_STATUS_VERSION,
  /**
   * The artifact is cut short, or something follows it.
   */
  CHARCELL_STATUS_LENGTH,
  /**
   * The artifact's checksum is another one.
   */
  CHARCELL_STATUS_DAMAGED,
  /**
   * The artifact's weights aren't int8.
   */
  CHARCELL_STATUS_NOT_INT8,
  /**
   * The artifact's header contradicts itself, or a number in it or among the constants goes
   * beyond what is supported.
   */
  CHARCELL_STATUS_HEADER,
} charcell_status;

/**
 * A loaded model and the text that it writes, in memory of the caller's.
 */
typedef struct charcell_generator charcell_generator;

/**
 * How characters are chosen. All zeros: the most probable one always.
 */
typedef struct charcell_sampling {
  /**
   * Where the random numbers start: same seed, same text.
   */
  uint64_t seed;
  /**
   * Temperature in thousandths: 1000 draws from the model's own distribution, more is bolder,
   * less more cautious, 0 always takes the most probable character.
   */
  uint16_t temperature_milli;
  /**
   * Only the k most probable characters; 0: all.
   */
  uint16_t top_k;
  /**
   * Only the most probable characters that reach this probability together, in thousandths; 0:
   * all.
   */
  uint16_t top_p_milli;
} charcell_sampling;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Writes to `artifact_bytes` how many bytes the artifact has that starts at `flash`, which has
 * room for more: flash at a fixed address, say.
 *
 * The checksum isn't compared yet.
 *
 * # Safety
 * `flash` points to `flash_bytes` bytes, and `artifact_bytes` to memory for the result; either
 * may be null, which is refused.
 */
enum charcell_status charcell_artifact_bytes(const uint8_t *flash,
                                             size_t flash_bytes,
                                             size_t *artifact_bytes);

/**
 * Writes to `memory_bytes` how much memory charcell_load needs for this artifact.
 *
 * The checksum isn't compared yet.
 *
 * # Safety
 * `artifact` points to `artifact_bytes` bytes, and `memory_bytes` to memory for the result;
 * either may be null, which is refused.
 */
enum charcell_status charcell_memory_bytes(const uint8_t *artifact,
                                           size_t artifact_bytes,
                                           size_t *memory_bytes);

/**
 * Checks an artifact, loads it, and writes to `generator` where it is: at the start of a text,
 * with the most probable character always taken.
 *
 * # Safety
 * `artifact` points to `artifact_bytes` bytes that never change, `memory` to `memory_bytes` bytes
 * that are nobody else's, and `generator` to memory for the result; each may be null, which is
 * refused. The generator is in `memory`, and must not be used once either is gone or loaded into
 * again.
 */
enum charcell_status charcell_load(const uint8_t *artifact,
                                   size_t artifact_bytes,
                                   void *memory,
                                   size_t memory_bytes,
                                   struct charcell_generator **generator);

/**
 * As charcell_load, and copies as many of the weights to `ram` as fit, whole units at a time; the
 * others are read from the artifact. On most microcontrollers RAM answers faster than flash. The
 * text stays the same. `ram_used` is then how many bytes of `ram` the weights take, from the first
 * multiple of CHARCELL_ARTIFACT_ALIGNMENT on: aligned likewise, none of it is lost.
 *
 * # Safety
 * As for charcell_load; and `ram` points to `ram_bytes` bytes that are nobody else's for as long
 * as the generator is used, or is null, which is refused. `ram_used` points to memory for the
 * result, or is null where that isn't asked.
 */
enum charcell_status charcell_load_with_ram(const uint8_t *artifact,
                                            size_t artifact_bytes,
                                            void *memory,
                                            size_t memory_bytes,
                                            void *ram,
                                            size_t ram_bytes,
                                            size_t *ram_used,
                                            struct charcell_generator **generator);

/**
 * Starts a new text. Without `sampling`, the most probable character is always taken.
 *
 * # Safety
 * `generator` comes from charcell_load, and `sampling` points to one; a null generator is
 * refused.
 */
enum charcell_status charcell_restart(struct charcell_generator *generator,
                                      const struct charcell_sampling *sampling);

/**
 * Takes a text of `text_bytes` bytes of UTF-8 in, as if it had been written; nothing of it if it
 * has a character that the model doesn't know and the artifact doesn't replace: `unknown_at` is
 * then how many bytes stand before the first one.
 *
 * # Safety
 * `generator` comes from charcell_load, `text` points to `text_bytes` bytes, and `unknown_at` to a
 * memory for the result, or is null where that isn't asked; the others may be null, which is
 * refused.
 */
enum charcell_status charcell_prime(struct charcell_generator *generator,
                                    const char *text,
                                    size_t text_bytes,
                                    size_t *unknown_at);

/**
 * Writes the next character to `character`, in UTF-8, with a zero after it.
 *
 * # Safety
 * `generator` comes from charcell_load, and `character` points to CHARCELL_CHARACTER_BYTES bytes;
 * either may be null, which is refused.
 */
enum charcell_status charcell_next(struct charcell_generator *generator, char *character);

/**
 * Writes to `text` where the characters that the model knows are, in UTF-8 without a zero after
 * them, and to `text_bytes` how many bytes they take.
 *
 * # Safety
 * `generator` comes from charcell_load, and `text` and `text_bytes` point to memory for the
 * results; each may be null, which is refused.
 */
enum charcell_status charcell_vocabulary(const struct charcell_generator *generator,
                                         const char **text,
                                         size_t *text_bytes);

/**
 * Writes to `text` where a prefix is that the artifact carries along to show the model with, in
 * UTF-8 without a zero after it, and to `text_bytes` how many bytes it takes. `index` counts from
 * 0.
 *
 * # Safety
 * As for charcell_vocabulary.
 */
enum charcell_status charcell_prefix(const struct charcell_generator *generator,
                                     size_t index,
                                     const char **text,
                                     size_t *text_bytes);

/**
 * What a status means, in English, and what to do about it.
 */
const char *charcell_status_message(int status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CHARCELL_H */
