"""The chapter's recipe in JAX: a compiled function for an epoch, with scans over windows and steps.
"""

import jax
import jax.numpy as jnp

import peer

work = peer.work()
parameters = {name: jnp.asarray(value) for name, value in work.parameters.items()}


def loss_and_state(parameters, state, window):
    """The mean loss of a window `[T, B]`, and the state after it."""
    inputs, targets = window
    projected = jax.nn.one_hot(inputs, work.vocabulary) @ parameters["w_ih"] + parameters["b"]

    def step(state, projected):
        hidden, cell = state
        i, f, g, o = jnp.split(projected + hidden @ parameters["w_hh"], 4, axis=-1)
        cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
        return (hidden, cell), hidden

    state, outputs = jax.lax.scan(step, state, projected)
    predictions = jax.nn.log_softmax(outputs @ parameters["w_out"] + parameters["b_out"])
    picked = jnp.take_along_axis(predictions, targets[..., None], axis=-1)
    return -picked.mean(), state


@jax.jit
def train(parameters, windows):
    """The parameters after the windows of an epoch, and the mean of their losses."""

    def iteration(carried, window):
        parameters, state = carried
        differentiate = jax.value_and_grad(loss_and_state, has_aux=True)
        (loss, state), gradients = differentiate(parameters, state, window)
        norm = jnp.sqrt(sum(jnp.sum(gradient**2) for gradient in gradients.values()))
        rate = work.learning_rate * jnp.minimum(1.0, work.clip / norm)
        parameters = jax.tree.map(lambda p, gradient: p - rate * gradient, parameters, gradients)
        return (parameters, state), loss

    zeros = jnp.zeros((work.batch_size, work.hidden))
    (parameters, _), losses = jax.lax.scan(iteration, (parameters, (zeros, zeros)), windows)
    return parameters, losses.mean()


def epoch(offset):
    global parameters
    parameters, loss = train(parameters, peer.windows(work, offset))
    return float(loss)


peer.follow(epoch)
