#!/usr/bin/env python3
"""Decodes a .nut file: an independent reader, written from docs/FORMAT.md alone, without dependencies.

    decode_nut.py FILE.nut            prints the network as JSON
    decode_nut.py FILE.nut OUT_DIR    writes each parameter as raw little-endian 32-bit floats to OUT_DIR/0.f32, 1.f32 ...
                                      or, of named weights, each tensor in its own type to OUT_DIR/0.raw, 1.raw ...
"""

import json
import math
import os
import struct
import sys
import zlib


class Stream:
    """The range decoder (section 2)."""

    def __init__(self, data):
        self.data = data
        self.taken = 4
        self.range = 0xFFFFFFFF
        self.offset = int.from_bytes((data[:4] + bytes(4))[:4], "big")

    def decide(self, p):
        bound = (self.range * p) >> 16
        if self.offset < bound:
            bit = 1
            self.range = bound
        else:
            bit = 0
            self.offset -= bound
            self.range -= bound
        while self.range < 1 << 24:
            byte = self.data[self.taken] if self.taken < len(self.data) else 0
            self.taken += 1
            if self.taken > len(self.data) + 4:
                raise ValueError("the coded stream ends too early")
            self.range <<= 8
            self.offset = (self.offset << 8 | byte) & 0xFFFFFFFF
        return bit


def make_log_table():
    table = []
    for i in range(4096):
        m, l = (1 << 30) + (i << 18), 0
        for _ in range(13):
            m = m * m >> 30
            l *= 2
            if m >= 1 << 31:
                m >>= 1
                l += 1
        table.append(l + 1 >> 1)
    return table


LOG2 = make_log_table()


def log2(v):
    e = v.bit_length() - 1
    return 4096 * e + LOG2[(v << 12 >> e) & 4095]


def stretch(p):
    return log2(p) - log2(65536 - p)


def make_squash_table():
    table, p = [], 1
    for i in range(4096):
        while p < 65535 and stretch(p) < 32 * i - 65536 + 16:
            p += 1
        table.append(p)
    return table


SQUASH = make_squash_table()


def cut(value, low, high):
    return min(max(value, low), high)


def squash(x):
    return SQUASH[(cut(x, -65535, 65535) + 65536) >> 5]


class Context:
    """Counts of zeros and ones (section 4)."""

    def __init__(self):
        self.n = [0, 0]

    def weights(self, q, s):
        return self.n[0] * 131072 + (65536 - q) * s, self.n[1] * 131072 + q * s

    def odds(self, q, s):
        a0, a1 = self.weights(q, s)
        return log2(a1) - log2(a0)

    def probability(self, q, s):
        a0, a1 = self.weights(q, s)
        return cut(a1 * 65536 // (a0 + a1), 1, 65535)

    def record(self, bit):
        self.n[bit] += 1
        if sum(self.n) >= 16000:
            self.n = [self.n[0] >> 1, self.n[1] >> 1]

    def decide(self, stream):
        bit = stream.decide(self.probability(32768, 2))
        self.record(bit)
        return bit


class Number:
    """Adaptive numbers (section 5)."""

    def __init__(self):
        self.longer = [Context() for _ in range(32)]
        self.leading = [Context() for _ in range(32)]

    def read(self, stream):
        k = 0
        while k < 31 and self.longer[k].decide(stream):
            k += 1
        v = 1
        for j in range(k - 1, -1, -1):
            v = 2 * v + (self.leading[k].decide(stream) if j == k - 1 else stream.decide(32768))
        return v - 1

    def read_signed(self, stream):
        u = self.read(stream)
        return -(u + 1) // 2 if u & 1 else u // 2


def uniform(stream, n):
    low, high = 0, n
    while high - low > 1:
        middle = low + (high - low) // 2
        p = cut((high - middle) * 65536 // (high - low), 1, 65535)
        if stream.decide(p):
            low = middle
        else:
            high = middle
    return low


class Mixer:
    """Section 7."""

    def __init__(self, weights, rate):
        self.weights = [w << 18 for w in weights]
        self.rate = self.initial_rate = rate
        self.decisions = 0

    def decide(self, stream, inputs):
        x = sum(w * i for w, i in zip(self.weights, inputs)) >> 24
        p = squash(x)
        bit = stream.decide(p)
        if self.decisions % 256 == 0:
            self.rate = max(self.initial_rate * 16384 // (16384 + self.decisions), self.initial_rate // 16)
        self.decisions += 1
        e = bit * 65536 - p
        self.weights = [
            cut(w + (e * i * self.rate + (1 << 19) >> 20), -1 << 28, 1 << 28) for w, i in zip(self.weights, inputs)
        ]
        return bit


POSITIONS = dict(all=32, row=16, kernel=4, column=32, channel=4, tap=16)
SIGNS = dict(all=48, row=64, kernel=64, column=16, channel=256, tap=64)
MAGNITUDES = dict(all=8, row=128, kernel=16, column=128, channel=64, tap=8)


class Marginals:
    def __init__(self, channels, taps, strengths):
        self.strengths = strengths
        self.all = Context()
        self.start_row()
        self.start_kernel()
        self.columns = [Context() for _ in range(channels * taps)]
        self.channels = [Context() for _ in range(channels)]
        self.taps = [Context() for _ in range(taps)]

    def start_row(self):
        self.row = Context()

    def start_kernel(self):
        self.kernel = Context()

    def sides(self, place):
        channel, tap, column = place
        return dict(
            row=self.row,
            kernel=self.kernel,
            column=self.columns[column],
            channel=self.channels[channel],
            tap=self.taps[tap],
        )

    def odds(self, place, q):
        s = self.strengths
        p, a = self.all.probability(q, s["all"]), self.all.odds(q, s["all"])
        d = {name: c.odds(p, s[name]) - a for name, c in self.sides(place).items()}
        if len(self.taps) == 1:
            d["channel"] = 0
        return p, a, d

    def record(self, place, bit):
        self.all.record(bit)
        for context in self.sides(place).values():
            context.record(bit)


def sign_of(symbol):
    return (symbol > 0) - (symbol < 0)


def single(value):
    """The nearest 32-bit float."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


class Symbols:
    """What is kept over all parameters of section 6 and 7."""

    def __init__(self):
        spatial = [64, 24, 16, 32, 44, 0, 0, 48, 20, -8, 8, 0, 12, 8]
        magnitude = [64, 32, 32, 16, 8, 32, 48, 16, 0, 0, 0]
        self.positions = [Mixer(spatial, 640), Mixer(spatial, 640), Mixer([64, 32, 64] + [0] * 11, 640)]
        self.signs = [
            Mixer([64, 0, 0, 64, 144, 96, -16, 32, 0, 0, -24, -48, -24, 80, -64], 4800),
            Mixer([64] + [0] * 12 + [80, 0], 4800),
        ]
        self.magnitudes = [Mixer(magnitude, 160), Mixer(magnitude, 160)]
        self.large = Number()
        self.empty = {False: Context(), True: Context()}
        self.zero, self.sign, self.magnitude = Context(), Context(), Number()

    def read(self, stream, layout, bounds):
        """`layout` is (rows, channels, height, width, form), form 3 for vectors; bounds are of + and of -."""
        rows, channels, height, width, form = layout
        count = rows * channels * height * width
        if self.empty[form == 3].decide(stream):
            return [0] * count
        if form == 3:
            return [self.read_of_vector(stream, bounds) for _ in range(count)]
        return Matrix(self, layout, bounds).read(stream)

    def read_of_vector(self, stream, bounds):
        if not self.zero.decide(stream):
            return 0
        negative = bounds[0] == 0
        if all(bounds):
            negative = bool(self.sign.decide(stream))
        magnitude = min(1 + self.magnitude.read(stream), bounds[negative])
        return -magnitude if negative else magnitude


class Matrix:
    """Section 7."""

    def __init__(self, model, layout, bounds):
        self.model, self.bounds = model, bounds
        self.rows, self.channels, self.height, self.width, self.form = layout
        self.taps = self.height * self.width
        self.row_len = self.channels * self.taps

        def marginals(s):
            return Marginals(self.channels, self.taps, s)

        self.positions, self.signs = marginals(POSITIONS), marginals(SIGNS)
        self.magnitudes = [marginals(MAGNITUDES), marginals(MAGNITUDES)]
        self.total = [Context() for _ in range(9)]
        self.by = [[Context(), Context()] for _ in range(9)]
        self.symbols = []

    def read(self, stream):
        every = [self.positions, self.signs] + self.magnitudes
        for self.row in range(self.rows):
            for marginals in every:
                marginals.start_row()
            self.agreement = [0] * 17
            for channel in range(self.channels):
                for marginals in every:
                    marginals.start_kernel()
                self.last = self.balance = 0
                for tap in range(self.taps):
                    place = (channel, tap, channel * self.taps + tap)
                    symbol = self.read_symbol(stream, place)
                    self.symbols.append(symbol)
                    if symbol:
                        self.last = symbol
                        self.balance += sign_of(symbol)
                        for k in range(1, min(self.row, 16) + 1):
                            before = self.symbols[-1 - k * self.row_len]
                            agreement = self.agreement[k] + sign_of(symbol) * sign_of(before)
                            self.agreement[k] = cut(agreement, -65536, 65536)
        return self.symbols

    def back(self, steps, there):
        return self.symbols[-steps] if there else 0

    def read_symbol(self, stream, place):
        channel, tap, _ = place
        y, x = divmod(tap, self.width)
        back = self.back
        left, left2 = back(1, x > 0), back(2, x > 1)
        up, up2 = back(self.width, y > 0), back(2 * self.width, y > 1)
        up_left = back(self.width + 1, y > 0 and x > 0)
        up_right = back(self.width - 1, y > 0 and x + 1 < self.width)
        row = back(self.row_len, self.row > 0)
        channel1, channel2 = back(self.taps, channel > 0), back(2 * self.taps, channel > 1)

        p, a, d = self.positions.odds(place, 32768)

        def size(s):
            return 4096 * min(abs(s), 2) - (p >> 4)

        inputs = [a, d["row"], d["column"], d["channel"], d["tap"], d["kernel"], 4096]
        inputs += map(size, (left, up, up_left, up_right, row, channel1, channel2))
        nonzero = self.model.positions[self.form].decide(stream, inputs)
        self.positions.record(place, nonzero)
        if not nonzero:
            return 0

        negative = int(self.bounds[0] == 0)
        if all(self.bounds):
            _, a, d = self.signs.odds(place, 32768)

            def size(s):
                return -(0, 4096, 6144)[min(abs(s), 2)] * sign_of(s)

            expected = 0
            for k in range(1, min(self.row, 16) + 1):
                expected += self.agreement[k] * sign_of(self.symbols[-k * self.row_len])
            inputs = [a, d["row"], d["column"], d["channel"]]
            inputs += map(size, (left, up, up_left, up_right, row, channel1, left2, up2, self.last))
            inputs += [cut(-128 * expected, -16384, 16384), cut(-1024 * self.balance, -16384, 16384)]
            negative = self.model.signs[self.taps == 1].decide(stream, inputs)
            self.signs.record(place, negative)
        magnitude = self.read_magnitude(stream, place, negative, (left, up, row, channel1))
        return -magnitude if negative else magnitude

    def read_magnitude(self, stream, place, negative, near):
        limit = self.bounds[negative]
        for step in range(1, 9):
            if step >= limit:
                return limit
            later = int(step > 1)
            q = 13107 if later else 19661
            p, b = self.total[step].probability(q, 8), self.total[step].odds(q, 8)
            _, _, d = self.magnitudes[later].odds(place, p)

            def size(s):
                return 0 if s == 0 or abs(s) == step else 4096 if abs(s) > step else -2048

            by = self.by[step][negative]
            inputs = [b, d["row"], d["column"], d["kernel"], d["tap"], by.odds(p, 16) - b]
            inputs += [size(s) for s in near] + [4096]
            larger = self.model.magnitudes[later].decide(stream, inputs)
            self.magnitudes[later].record(place, larger)
            self.total[step].record(larger)
            by.record(larger)
            if not larger:
                return step
        return min(9 + self.model.large.read(stream), limit)


class Codebooks:
    """Section 6."""

    def __init__(self):
        self.free = Context()
        self.same = {False: Context(), True: Context()}
        self.fraction_bits = {False: 0, True: 0}
        self.far, self.lengths, self.gaps = Number(), Number(), Number()

    def read(self, stream, vector):
        """(fraction bits, None or the pair of positive and negative centroids)"""
        free = self.free.decide(stream)
        if not self.same[vector].decide(stream):
            d = self.far.read_signed(stream)
            d += d >= 0
            self.fraction_bits[vector] = (self.fraction_bits[vector] + d + 128) % 256 - 128
        if not free:
            return self.fraction_bits[vector], None
        return self.fraction_bits[vector], (self.read_side(stream), self.read_side(stream))

    def read_side(self, stream):
        side, last = [], 0
        for _ in range(self.lengths.read(stream)):
            last += 1 + self.gaps.read(stream)
            if last > 65535:
                raise ValueError("a centroid above 65535")
            side.append(last)
        return side


class Bytes:
    """Bytes and varints (section 1)."""

    def __init__(self, data):
        self.data = data

    def take(self, count):
        if count > len(self.data):
            raise ValueError("a section ends too early")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def varints(self, count):
        return [self.varint() for _ in range(count)]


CONV, LINEAR, ADD, RELU, MAX_POOL, AVERAGE_POOL, GLOBAL, FLATTEN, SOFTMAX = range(9)
FUNCTION, PAIR, PRODUCT, PARAMETER, RESHAPE, CONCAT, TRANSPOSE, SLICE, GATHER, PAD, EXPAND = range(9, 20)
NORMALIZE, REDUCE, LOG_SOFTMAX, INPUT, OUTPUTS, DILATED, RESIZE, RECURRENT, LOOKUP = range(20, 29)
NAMES = "Conv Gemm Add Relu MaxPool AveragePool GlobalAveragePool Flatten Softmax Function Pair MatMul Parameter Reshape "
NAMES += "Concat Transpose Slice Gather Pad Expand Normalize Reduce LogSoftmax Input Outputs Conv Resize Recurrent Lookup"
NAMES = NAMES.split()
# How many constants the functions of each element have that have any.
CONSTANTS = {2: 2, 3: 1, 4: 1, 10: 2, 12: 1, 15: 1, 16: 1, 17: 1, 20: 2, 26: 1}


def read_attributes(reader, node):
    """What operators 9 to 27 have beside inputs and parameters."""
    op, a_list = node["op"], lambda: reader.varints(reader.varint())
    constant = lambda: struct.unpack("<f", bytes(reader.take(4)))[0]
    if op == FUNCTION:
        node["function"] = reader.byte()
        node["constants"] = [constant() for _ in range(CONSTANTS.get(node["function"], 0))]
    elif op == PAIR:
        node["function"] = reader.byte()
    elif op in (RESHAPE, EXPAND):
        node["shape"] = a_list()
    elif op == CONCAT:
        node["axis"] = reader.varint()
    elif op == TRANSPOSE:
        node["order"] = a_list()
    elif op == SLICE:
        node["starts"] = a_list()
        node["steps"] = [number >> 1 ^ -(number & 1) for number in reader.varints(len(node["starts"]))]
        node["lengths"] = reader.varints(len(node["starts"]))
    elif op == GATHER:
        node["axis"], node["places"] = reader.varint(), a_list()
    elif op == PAD:
        node["before"] = a_list()
        node["after"] = reader.varints(len(node["before"]))
        node["mode"], node["value"] = reader.byte(), constant()
    elif op == NORMALIZE:
        node["axis"], node["epsilon"] = reader.varint(), constant()
    elif op == REDUCE:
        node["kind"], node["axes"] = reader.byte(), a_list()
    elif op == INPUT:
        node["batched"], node["start"], node["shape"] = reader.byte(), reader.varint(), a_list()
    elif op == DILATED:
        node["stride"], node["pads"], node["groups"] = reader.varints(2), reader.varints(4), reader.varint()
        node["dilation"] = reader.varints(2)
    elif op == RESIZE:
        node["mode"], node["coordinates"], node["rounding"] = reader.byte(), reader.byte(), reader.byte()
        node["cubic"], node["modes"] = constant(), reader.byte()
        node["shape"], node["factors"] = a_list(), [constant() for _ in range(reader.varint())]
    elif op == RECURRENT:
        node["cell"], node["reverse"] = reader.byte(), reader.byte()


def read_graph(data):
    """Section 8: the input's shape, the nodes, and the shapes of the parameters."""
    reader = Bytes(data)
    input_shape = reader.varints(reader.varint())
    nodes, following = [], 0
    for index in range(reader.varint()):
        head = reader.byte()
        op = head & 15
        if op == 15:
            op += reader.byte()
        node = {"op": op, "inputs": [] if op == PARAMETER else [index]}
        if head & 0x10:
            count = reader.varint() if op in (CONCAT, OUTPUTS) else 2 if op in (ADD, PAIR, PRODUCT) else 1
            node["inputs"] = [index - back for back in reader.varints(count)]
        if op in (CONV, LINEAR, PARAMETER, DILATED, RECURRENT, LOOKUP):
            used = [following, following + 1] if head & 0x20 else [following]
            if head & 0x40:
                used = reader.varints(len(used))
            if op == PARAMETER:
                node["parameter"] = used[0]
            else:
                node["weight"], node["bias"] = used[0], used[1] if head & 0x20 else None
            following = max([following] + [number + 1 for number in used])
        if node["op"] == CONV:
            node["stride"], node["pads"], node["groups"] = [1, 1], [0] * 4, 1
            if head & 0x80:
                node["stride"], node["pads"], node["groups"] = reader.varints(2), reader.varints(4), reader.varint()
        if node["op"] in (MAX_POOL, AVERAGE_POOL):
            node["kernel"], node["stride"], node["pads"], node["modes"] = [2, 2], [2, 2], [0] * 4, 0
            if head & 0x80:
                node["kernel"], node["stride"] = reader.varints(2), reader.varints(2)
                node["pads"], node["modes"] = reader.varints(4), reader.byte()
        read_attributes(reader, node)
        nodes.append(node)
    shapes = [None] * reader.varint()
    layers = [node for node in nodes if "weight" in node]
    ranks = {node["weight"]: 2 if node["op"] in (LINEAR, RECURRENT, LOOKUP) else 4 for node in layers}
    biases = {node["bias"]: node["weight"] for node in layers if node["bias"] not in ranks}
    for index in range(len(shapes)):
        if index in ranks:
            shapes[index] = reader.varints(ranks[index])
        elif index not in biases:
            shapes[index] = reader.varints(reader.varint())
    for bias, weight in biases.items():
        if bias is not None:
            shapes[bias] = shapes[weight][:1]
    if reader.data:
        raise ValueError("bytes after the graph")
    return input_shape, nodes, shapes


def preset(topology, widths):
    """The graph of a known topology as read_graph gives it."""
    if topology == 1:
        w0, w1, w2, w3 = widths
        ops = [CONV, MAX_POOL, CONV, MAX_POOL, FLATTEN, LINEAR, RELU, LINEAR]
        shapes = [[w0, 1, 5, 5], [w0], [w1, w0, 5, 5], [w1], [w2, 16 * w1], [w2], [w3, w2], [w3]]
    else:
        w0, w1, w2 = widths
        ops = [FLATTEN, LINEAR, RELU, LINEAR, RELU, LINEAR]
        shapes = [[w0, 784], [w0], [w1, w0], [w1], [w2, w1], [w2]]
    nodes, following = [], 0
    for index, op in enumerate(ops):
        node = {"op": op, "inputs": [index]}
        if op in (CONV, LINEAR):
            node.update(weight=following, bias=following + 1, stride=[1, 1], pads=[0] * 4, groups=1)
            following += 2
        if op == MAX_POOL:
            node.update(kernel=[2, 2], stride=[2, 2], pads=[0] * 4, modes=0)
        nodes.append(node)
    return [1, 28, 28], nodes, shapes


def value_shapes(input_shape, nodes, shapes):
    """Shape of each value; what is not needed to group the columns of linear layers is not checked."""

    def windows(size, kernel, stride, pads, ceil):
        room = size + pads[0] + pads[1] - kernel
        count = room // stride + 1
        if ceil and room % stride and count * stride < size + pads[0]:
            count += 1
        return count

    def broadcast(a, b):
        rank = max(len(a), len(b))
        sides = zip([1] * (rank - len(a)) + a, [1] * (rank - len(b)) + b)
        return [b if a == 1 else a for a, b in sides]

    values = [input_shape]
    for node in nodes:
        inputs = [values[value] for value in node["inputs"]]
        shape = inputs[0] if inputs else shapes[node["parameter"]]
        op = node["op"]
        if op in (CONV, DILATED, MAX_POOL, AVERAGE_POOL):
            convolution = op in (CONV, DILATED)
            kernel = shapes[node["weight"]][2:] if convolution else node["kernel"]
            kernel = [(side - 1) * step + 1 for side, step in zip(kernel, node.get("dilation", [1, 1]))]
            ceil = not convolution and node["modes"] & 1
            sides = [
                windows(shape[axis - 2], kernel[axis], node["stride"][axis], node["pads"][axis::2], ceil)
                for axis in range(2)
            ]
            shape = shape[:-3] + [shapes[node["weight"]][0] if convolution else shape[-3]] + sides
        elif op == RECURRENT:
            shape = shape[:1] + shapes[node["weight"]][1:]
        elif op == LOOKUP:
            shape = shape + shapes[node["weight"]][:1]
        elif op == LINEAR:
            shape = shape[:-1] + shapes[node["weight"]][:1]
        elif op == GLOBAL:
            shape = shape[:-2] + [1, 1]
        elif op == FLATTEN:
            shape = [math.prod(shape)]
        elif op in (ADD, PAIR):
            shape = broadcast(*inputs)
        elif op == PRODUCT:
            shape = broadcast(shape[:-2], inputs[1][:-2]) + [shape[-2], inputs[1][-1]]
        elif op in (RESHAPE, EXPAND, INPUT):
            shape = node["shape"]
        elif op == CONCAT:
            axis = node["axis"]
            shape = shape[:axis] + [sum(other[axis] for other in inputs)] + shape[axis + 1 :]
        elif op == TRANSPOSE:
            shape = [shape[axis] for axis in node["order"]]
        elif op == SLICE:
            shape = node["lengths"]
        elif op == GATHER:
            shape = shape[: node["axis"]] + [len(node["places"])] + shape[node["axis"] + 1 :]
        elif op == PAD:
            shape = [before + side + after for before, side, after in zip(node["before"], shape, node["after"])]
        elif op == REDUCE:
            shape = [1 if axis in node["axes"] else side for axis, side in enumerate(shape)]
        elif op == RESIZE:
            shape = node["shape"] or [math.floor(side * factor) for side, factor in zip(shape, node["factors"])]
        elif op == OUTPUTS:
            shape = [sum(math.prod(other) for other in inputs)]
        values.append(shape)
    return values


def layouts(input_shape, nodes, shapes):
    """(rows, channels, height, width, form) of each parameter; form 3 is a vector (section 6)."""
    found = []
    for shape in shapes:
        if len(shape) < 2:
            found.append((1, shape[0] if shape else 1, 1, 1, 3))
        elif len(shape) == 4 and shape[2] * shape[3] != 1:
            found.append((*shape, 0))
        else:
            size = 1
            for side in shape[1:]:
                size *= side
            found.append((shape[0], size, 1, 1, 2))
    values = value_shapes(input_shape, nodes, shapes)
    for node in nodes:
        if node["op"] != LINEAR:
            continue
        value = node["inputs"][0]
        while value > 0 and nodes[value - 1]["op"] in (RELU, FUNCTION):
            value = nodes[value - 1]["inputs"][0]
        if value == 0 or nodes[value - 1]["op"] != FLATTEN:
            continue
        image = values[nodes[value - 1]["inputs"][0]]
        if len(image) == 3 and image[1] * image[2] > 1:
            found[node["weight"]] = (shapes[node["weight"]][0], *image, 1)
    return found


def read_sections(reader):
    sections, last = {}, 0
    for _ in range(reader.varint()):
        tag = reader.varint()
        if tag <= last:
            raise ValueError("tags do not rise")
        last = tag
        body = reader.take(reader.varint())
        if tag <= 9:
            sections[tag] = body
        elif tag % 2:
            raise ValueError(f"section {tag} is not known")
    return sections


def streams_of(sections, reader, count):
    """The streams of parameters that are coded apart, cut off the end of the coded stream (section 10)."""
    if 7 not in sections:
        return [None] * count
    lengths = Bytes(sections[7])
    lengths = lengths.varints(count)
    coded = len(reader.data) - sum(lengths)
    if coded < 0:
        raise ValueError("streams that are too long")
    apart, reader.data = Bytes(reader.data[coded:]), reader.data[:coded]
    return [Bytes(apart.take(length)) if length else None for length in lengths]


class Table:
    def __init__(self, reader):
        folded = reader.varint()
        self.first = folded >> 1 ^ -(folded & 1)
        self.frequencies = reader.varints(reader.varint())
        self.slots = [(entry, start) for entry, start in self.entries()]
        if len(self.slots) != 1 << 14:
            raise ValueError("frequencies that do not sum to 16384")

    def entries(self):
        start = 0
        for entry, frequency in enumerate(self.frequencies):
            yield from [(entry, start)] * frequency
            start += frequency


NEXT = [(0, 2), (7, 5), (1, 3), (6, 4), (2, 0), (5, 7), (3, 1), (4, 6)]
OCTAVE = [32768, 30048, 27554, 25268, 23170, 21247, 19484, 17867]


class Near:
    """Symbols of one table, or of nine by their neighbours."""

    def __init__(self, tables, row_len):
        self.tables, self.row_len, self.symbols = tables, row_len, []

    def look(self, quantizer):
        index, self.centre, self.way = len(self.symbols), 0, 1
        if self.tables == 1:
            return 0
        left = self.symbols[-1] if index % self.row_len else 0
        above = self.symbols[-self.row_len] if index >= self.row_len else 0
        return 3 * min(abs(left), 2) + min(abs(above), 2)

    def record(self, level, multiple):
        self.symbols.append(level)


class Predicted:
    """Symbols of kernels, each predicted by those before it."""

    def __init__(self, reader, rows, channels, taps, trellis):
        def signed(count):
            return list(struct.unpack(f"<{count}b", bytes(reader.take(count))))

        self.parts, thresholds = reader.byte(), reader.byte()
        if self.parts not in (1, 3) or thresholds > 7:
            raise ValueError("predictions of another kind")
        self.thresholds, self.places = list(reader.take(thresholds)), list(reader.take(taps))
        self.factors = [signed(tap) for tap in range(taps)] if taps <= 64 else [[]] * taps
        self.rows, self.channels = signed(rows), signed(channels)
        self.tables = self.parts * (thresholds + 1)
        self.symbols, self.errors, self.seen, self.unit = [], [], 0, 32 if trellis else 64

    def look(self, quantizer):
        kernel, tap = divmod(len(self.symbols), len(self.places))
        row, channel = divmod(kernel, len(self.channels))
        if tap == 0:
            self.errors, self.seen = [], 0
        mean = sum(factor * error for factor, error in zip(self.factors[tap], self.errors)) >> 6
        self.mean = max(-(1 << 21), min(1 << 21, mean))
        self.base = max(0, min(255, self.places[tap] + self.rows[row] + self.channels[channel]))
        wanted = self.mean + quantizer * max(-32, min(32, self.mean))
        self.centre = wanted + 32 >> 6
        rest = wanted - 64 * self.centre
        self.way = -1 if rest < 0 else 1
        level = max(0, min(255, self.base + (3 * (log2(64 + self.seen) - log2(64 + 16 * tap)) >> 11)))
        return self.parts * sum(threshold <= level for threshold in self.thresholds) + abs(rest) * self.parts // 33

    def record(self, level, multiple):
        error = self.unit * multiple - self.mean
        self.errors.append(max(-131071, min(131071, error)))
        self.seen = min(4095, self.seen + min(255, 16 * abs(error) * OCTAVE[self.base % 8] >> 15 + self.base // 8))
        self.symbols.append(level)


def read_apart(reader, layout):
    """The symbols of a parameter from its own stream (section 10)."""
    rows, channels, height, width, _ = layout
    row_len = channels * height * width
    first = reader.byte()
    first, trellis = first & 127, first >= 128
    contexts = Predicted(reader, rows, channels, height * width, trellis) if first == 2 else Near(first, row_len)
    tables = [Table(reader) for _ in range(contexts.tables * (2 if trellis else 1))]
    columns, multiples = [0] * row_len, []
    states = list(struct.unpack("<4I", bytes(reader.take(16))))

    def take(index, low_bits, frequency, start):
        state = states[index % 4]
        state = frequency * (state >> low_bits) + (state & (1 << low_bits) - 1) - start
        if state < 1 << 16:
            state = state << 16 | struct.unpack("<H", bytes(reader.take(2)))[0]
        states[index % 4] = state

    def record(level):
        place = len(multiples) % row_len
        state = columns[place]
        multiple = 2 * level - (state & 1) * ((level > 0) - (level < 0)) if trellis else level
        columns[place] = NEXT[state][level & 1] if trellis else 0
        multiples.append(multiple)
        contexts.record(level, multiple)

    for index in range(rows * row_len):
        if index % (256 * row_len) == 0:
            columns = [0] * row_len
        quantizer = columns[index % row_len] & 1
        table = tables[contexts.look(quantizer) + quantizer * contexts.tables]
        entry, start = table.slots[states[index % 4] & 0x3FFF]
        take(index, 14, table.frequencies[entry], start)
        if entry:
            record(contexts.centre + contexts.way * (table.first + entry - 1))
            continue
        raw = 0
        for shift in (0, 8):
            part = (states[index % 4] & 0x3FFF) >> 6
            raw |= part << shift
            take(index, 14, 64, part << 6)
        record(raw - 65536 if raw >= 32768 else raw)
    if states != [1 << 16] * 4 or reader.data:
        raise ValueError("a stream that ends elsewhere")
    return multiples


TYPES = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool".split()
SIZES = [8, 4, 2, 2, 8, 4, 2, 1, 8, 4, 2, 1, 1]
SOURCES = ["onnx", "safetensors", "npz", "npy", "torch", "tflite", "hdf5"]


class Verbatim:
    """Bytes of numbers (section 9)."""

    def __init__(self):
        self.types = {}

    def read(self, stream, kind, count):
        size = SIZES[kind]
        trees = self.types.setdefault(kind, {})
        data = bytearray(count * size)
        for place in range(size - 1, -1, -1):
            for start in range(0, len(data), size):
                tree = size + data[start + size - 1] if place == size - 2 else place
                node = 1
                for _ in range(8):
                    context = trees.setdefault((tree, node), Context())
                    node = 2 * node + context.decide(stream)
                data[start + place] = node - 256
        return bytes(data)


def float_bytes(kind, value):
    """A number in a floating-point type, from its exact value."""
    value = struct.unpack("<f", struct.pack("<f", value))[0]
    if kind == 3:
        bits = struct.unpack("<I", struct.pack("<f", value))[0]
        return struct.pack("<H", bits + 0x7FFF + (bits >> 16 & 1) >> 16)
    return struct.pack("<" + "dfe"[kind], value)


def decode_weights(sections, stream):
    """Named weights (section 9)."""
    origin, table = Bytes(sections[6]), Bytes(sections[5])
    source, names = SOURCES[origin.byte()], Bytes(zlib.decompress(origin.data, -15))
    tensors = []
    for _ in range(table.varint()):
        head = table.byte()
        tensor = {"name": names.take(names.varint()).decode(), "type": TYPES[head & 15], "dequantized": head >> 5 & 1 == 1}
        tensor["shape"] = table.varints(table.varint())
        tensor["step"] = struct.unpack("<f", table.take(4))[0] if head & 16 else None
        sides = len(tensor["shape"])
        tensor["axis"] = table.varint() if head & 128 else None
        tensor["view"] = (table.varint(), table.varint(), table.varints(sides)) if head & 64 else None
        tensors.append(tensor)

    for tensor, apart in zip(tensors, streams_of(sections, stream, len(tensors))):
        tensor["apart"] = apart
    blocks, elements = [[]], 0
    for tensor in tensors:
        if elements >= 1 << 20:
            blocks.append([])
            elements = 0
        blocks[-1].append(tensor)
        tensor["count"] = 1
        for side in tensor["shape"]:
            tensor["count"] *= side
        elements += tensor["count"]
    for index, block in enumerate(blocks):
        last = index + 1 == len(blocks)
        coded = Stream(stream.data if last else stream.take(table.varint()))
        rows, symbols, verbatim = Number(), Symbols(), Verbatim()
        for tensor in block:
            shape, kind = tensor["shape"], TYPES.index(tensor["type"])
            if tensor["view"]:
                continue
            if tensor["step"] is None:
                tensor["bytes"] = verbatim.read(coded, kind, tensor["count"])
                continue
            layout = (shape[0], shape[1], 1, shape[2], 0) if len(shape) == 3 else layouts([], [], [shape])[0]
            steps, inner = [tensor["step"]], 1
            if tensor["axis"] is not None:
                codes = [rows.read_signed(coded) for _ in range(shape[tensor["axis"]])]
                steps = [single(tensor["step"] * single(2 ** (code % 8 / 8))) * 2 ** (code // 8) for code in codes]
                for side in shape[tensor["axis"] + 1 :]:
                    inner *= side
            apart = tensor["apart"]
            read = read_apart(apart, layout) if apart else symbols.read(coded, layout, (32767, 32768))
            values = [symbol * steps[index // inner % len(steps)] for index, symbol in enumerate(read)]
            tensor["bytes"] = b"".join(float_bytes(kind, value) for value in values)
        if coded.taken < len(coded.data):
            raise ValueError("a block goes on")
    for tensor in tensors:
        if tensor["view"]:
            of, offset, strides = tensor["view"]
            base, size = tensors[of]["bytes"], SIZES[TYPES.index(tensor["type"])]
            places = [offset]
            for side, stride in zip(tensor["shape"], strides):
                places = [place + stride * step for place in places for step in range(side)]
            tensor["bytes"] = b"".join(base[size * place : size * (place + 1)] for place in places)
            tensor["step"] = tensors[of]["step"]
        del tensor["view"], tensor["axis"], tensor["apart"]
    return {"topology": 15, "source": source, "skeleton_bytes": len(names.data), "tensors": tensors}


def decode(data):
    """The network as plain lists and numbers."""
    if data[:2] != b"Nu":
        raise ValueError("not a .nut file")
    if data[2] >> 5 != 1:
        raise ValueError(f"version {data[2] >> 5}")
    if zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise ValueError("the checksum is wrong")
    topology = data[2] >> 1 & 15
    reader = Bytes(data[3:-4])
    sections = read_sections(reader) if data[2] & 1 else {}
    if topology == 15:
        return decode_weights(sections, reader)
    lengths = Bytes(sections.get(7, b""))
    count = 0
    while lengths.data:
        lengths.varint()
        count += 1
    apart = streams_of(sections, reader, count)
    stream = Stream(reader.data)

    if topology == 0:
        input_shape, nodes, shapes = read_graph(sections[1])
        as_expected, more, expected = Context(), Number(), {}
        originals = []
        for shape in shapes:
            originals.append([])
            for side in shape:
                if not as_expected.decide(stream):
                    expected[side] = side + more.read(stream)
                originals[-1].append(expected.get(side, side))
    else:
        standard = {1: [20, 50, 500, 10], 2: [300, 100, 10]}[topology]
        if not stream.decide(61440):
            number = Number()
            standard = [1 + number.read(stream) for _ in standard]
        widths = [1 + uniform(stream, original) for original in standard]
        input_shape, nodes, shapes = preset(topology, widths)
        originals = preset(topology, standard)[2]

    codebooks, model, parameters = Codebooks(), Symbols(), []
    apart = apart or [None] * len(shapes)
    factors = sections.get(9) or [1] * len(shapes)
    if len(factors) != len(shapes) or 0 in factors:
        raise ValueError("factors of at least 1 for each parameter")
    parts = zip(shapes, originals, layouts(input_shape, nodes, shapes), apart, factors)
    for shape, original, layout, own, factor in parts:
        fraction_bits, centroids = codebooks.read(stream, layout[4] == 3)
        bounds = (32767, 32768)
        if centroids is not None:
            bounds = (min(len(centroids[0]), 32767), min(len(centroids[1]), 32768))
        symbols = read_apart(own, layout) if own else model.read(stream, layout, bounds)
        integers = [symbol * factor for symbol in symbols]
        if centroids is not None:
            if factor != 1:
                raise ValueError("a factor beside centroids")
            table = [0] + centroids[0] + [-value for value in reversed(centroids[1])]
            integers = [table[symbol] for symbol in symbols]
        parameters.append(
            {
                "shape": shape,
                "original_shape": original,
                "fraction_bits": fraction_bits,
                "centroids": centroids,
                "integers": integers,
            }
        )
    if stream.taken < len(stream.data):
        raise ValueError("the coded stream goes on")
    named = [dict(node, op=NAMES[node["op"]]) for node in nodes]
    return {"topology": topology, "input_shape": input_shape, "nodes": named, "parameters": parameters}


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        network = decode(file.read())
    if len(sys.argv) == 2:
        print(json.dumps(network, default=lambda data: data.hex()))
        return
    os.makedirs(sys.argv[2], exist_ok=True)
    for index, tensor in enumerate(network.get("tensors", [])):
        with open(os.path.join(sys.argv[2], f"{index}.raw"), "wb") as file:
            file.write(tensor["bytes"])
    for index, parameter in enumerate(network.get("parameters", [])):
        values = [integer * 2.0 ** -parameter["fraction_bits"] for integer in parameter["integers"]]
        with open(os.path.join(sys.argv[2], f"{index}.f32"), "wb") as file:
            file.write(struct.pack(f"<{len(values)}f", *values))


if __name__ == "__main__":
    main()
