"""Damages database files, as bad disks do."""


def records(data):
    """(begin, body, end) of each record of a file's bytes."""
    found = []
    begin = 0
    while begin < len(data):
        body = data.index(b"\n", begin) + 1
        end = body + int(data[begin:body].split()[2])
        found.append((begin, body, end))
        begin = end
    return found


def flip(data, at):
    """Another byte at AT."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def in_body(number):
    """Damages the body of a record."""
    return lambda data: flip(data, records(data)[number][1] + 5)


def in_header(number):
    """Damages the header of a record."""
    return lambda data: flip(data, records(data)[number][0] + 2)


def in_two_places(first, second):
    return lambda data: in_body(first)(in_header(second)(data))


def hole(first, last):
    """Zeros in the place of some records."""
    def damage(data):
        begin, end = records(data)[first][0] + 3, records(data)[last][2]
        return data[:begin] + bytes(end - begin) + data[end:]
    return damage


def without_newline(number):
    """The newline before a record's header is gone."""
    return lambda data: flip(data, records(data)[number][0] - 1)


def garbage_behind(data):
    """The last record is cut short, and rubbish comes after it."""
    return data[:-10] + b"\0garbage\nOVSDB JSON 7 nothing\n{}" * 1000


def zeros_from(number):
    """Zeros from within a record to the end."""
    def damage(data):
        begin = records(data)[number][0] + 3
        return data[:begin] + bytes(len(data) - begin)
    return damage


IN_THE_MIDDLE = {
    "a body": in_body(2),
    "a header": in_header(2),
    "the newline before a header": without_newline(3),
    "two places": in_two_places(2, 4),
    "the first record of rows": in_body(1),
    "a hole of zeros": hole(2, 3),
}
AT_THE_END = {
    "the last body": in_body(-1),
    "the last header": in_header(-1),
    "garbage behind a record that is cut short": garbage_behind,
    "zeros from within the last record on": zeros_from(-1),
}
OF_THE_SCHEMA = {"the schema": in_body(0), "the schema's header": in_header(0)}
