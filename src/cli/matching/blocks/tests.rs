//! Nothing is lost or said twice, and a position is all that is needed to go on.

use super::super::document;
use super::*;
use proptest::prelude::*;
use stockade::log::Cutter;

const SMALL: Limits = Limits { block: 64, overlap: 16 };

/// Gives out its pieces one read at a time.
struct Pieces(Vec<Vec<u8>>);
impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.0.first_mut() else { return Ok(0) };
        let n = piece.len().min(buffer.len());
        buffer[..n].copy_from_slice(&piece[..n]);
        piece.drain(..n);
        if piece.is_empty() {
            self.0.remove(0);
        }
        Ok(n)
    }
}

/// Puts the input together again from the blocks, and checks what they say of themselves.
fn put_together(pieces: Vec<Vec<u8>>, eager: bool) -> Vec<u8> {
    let mut blocks = Blocks::new(Pieces(pieces), eager, SMALL, Tracker::default());
    let mut block = Block::default();
    let mut whole: Vec<u8> = Vec::new();
    while blocks.next(&mut block) {
        assert!(block.text().len() <= SMALL.block);
        let Some(piece) = block.piece else {
            assert_eq!(block.offset, whole.len() as u64);
            assert_eq!(block.first_line, 1 + memchr_iter(b'\n', &whole).count() as u64);
            whole.extend_from_slice(block.text());
            continue;
        };
        let line_start = memrchr(b'\n', &whole).map_or(0, |newline| newline + 1);
        assert_eq!(block.offset, line_start as u64);
        assert_eq!(block.first_line, 1 + memchr_iter(b'\n', &whole).count() as u64);
        let (mark, text) = block.text().split_at(piece.mark);
        assert!(mark.is_empty() || mark == JSON_MARK);
        let start = line_start + piece.start as usize;
        assert_eq!(whole[start..], text[..whole.len() - start], "the overlap");
        if piece.start > 0 {
            assert_eq!(piece.settled, whole.len() as u64 - line_start as u64 - SMALL.overlap as u64 / 2);
        }
        whole.truncate(start);
        whole.extend_from_slice(text);
    }
    whole
}

proptest! {
    #[test]
    fn nothing_is_lost_or_said_twice(
        pieces in prop::collection::vec("[a-c{ \n]{1,90}|[a-c]{150}\n?|\n", 0..12), eager: bool
    ) {
        let pieces: Vec<Vec<u8>> = pieces.into_iter().map(String::into_bytes).collect();
        prop_assert_eq!(put_together(pieces.clone(), eager), pieces.concat());
    }
}

proptest! {
    /// Reading that is broken off after any block and taken up at its position hands out the same blocks.
    #[test]
    fn a_position_is_all_that_is_needed_to_go_on(text in "([a-c{ \\n]{1,90}|[a-c]{150}\n?|\\n){0,8}") {
        let text = text.into_bytes();
        let mut whole = Blocks::growing(&text[..], Position::START, SMALL, Tracker::default());
        let mut broken = Blocks::growing(&text[..], Position::START, SMALL, Tracker::default());
        let (mut one, mut other) = (Block::default(), Block::default());
        loop {
            let some = whole.next(&mut one);
            prop_assert_eq!(some, broken.next(&mut other));
            if !some {
                break;
            }
            prop_assert_eq!(one.text(), other.text());
            prop_assert_eq!((one.offset, one.first_line), (other.offset, other.first_line));
            let position = broken.position();
            prop_assert_eq!(position, whole.position());
            broken = Blocks::growing(&text[position.byte() as usize..], position, SMALL, Tracker::default());
        }
        prop_assert!(whole.position().offset as usize <= text.len());
        prop_assert_eq!(whole.finish_line(&mut one), broken.finish_line(&mut other));
        prop_assert_eq!(one.text(), other.text());
        prop_assert_eq!(whole.position().byte(), text.len() as u64);
    }
}

/// Documents whose records are shorter and longer than a block, laid out in any way, some of them broken.
fn documents() -> impl Strategy<Value = Vec<u8>> {
    let record = prop_oneof![
        3 => "\\{\"a\": \"[a-c\\[{,]{0,20}\"\\}",
        1 => "\\{\n \"a\": \\[1,\n 2\\],\n\"b\":\\{\\}\n\\}",
        1 => "\\{\"a\": \"[a-c]{100}\",\n\"b\": 1\\}",
        1 => "\\{\"a\": \"[a-c]{3}",
    ];
    let around = prop_oneof![
        Just(("{\"Records\":[", ",", "]}")),
        Just(("{\"x\": 1,\n\"Records\": [\n", ",\n", "\n],\n\"y\": 2}\n")),
        Just(("[", ",", "]\n")),
        Just(("", "\n", "\n"))
    ];
    (prop::collection::vec(record, 1..6), around, 1..3_usize).prop_map(|(records, (begin, between, end), times)| {
        let document = format!("{begin}{}{end}", records.join(between));
        document.repeat(times).into_bytes()
    })
}

proptest! {
    /// The blocks of a document, put together, are the document, whatever it is cut into; and each says where it is.
    #[test]
    fn nothing_of_a_document_is_lost(text in documents(), sizes in prop::collection::vec(1..90_usize, 1..6), eager: bool) {
        let mut cut = text.clone();
        Cutter::default().pass(&mut cut, 0, false);
        let mut rest = &text[..];
        let mut sizes = sizes.into_iter().cycle();
        let pieces = std::iter::from_fn(|| {
            let (piece, behind) = rest.split_at(rest.len().min(sizes.next()?));
            rest = behind;
            (!piece.is_empty()).then(|| piece.to_vec())
        });
        let mut blocks = Blocks::new(Pieces(pieces.collect()), eager, SMALL, Tracker::default());
        let mut block = Block::default();
        let mut at = 0;
        while blocks.next(&mut block) {
            let piece = block.piece;
            let (mark, begin) = piece.map_or((0, at), |piece| (piece.mark, block.offset as usize + piece.start as usize));
            prop_assert!(begin <= at);
            let original = if block.document.is_some() { block.original() } else { &block.text()[mark..] };
            prop_assert_eq!(original, &text[begin..begin + original.len()]);
            if piece.is_none() && block.document.is_some() {
                prop_assert_eq!(&cut[begin..begin + block.text().len()], block.text());
            }
            if let Some(document) = &block.document {
                for place in 0..original.len() {
                    let before = &text[..begin + place];
                    let expected = document::Place {
                        offset: before.len() as u64,
                        line: 1 + memchr_iter(b'\n', before).count() as u64,
                        line_offset: memrchr(b'\n', before).map_or(0, |newline| newline as u64 + 1),
                    };
                    prop_assert_eq!(document.place(place), expected);
                }
            }
            at = begin + original.len();
        }
        prop_assert_eq!(at, text.len());
    }

    /// As for lines: a position is all that is needed.
    #[test]
    fn a_position_in_a_document_is_all_that_is_needed_to_go_on(text in documents()) {
        let mut whole = Blocks::growing(&text[..], Position::START, SMALL, Tracker::default());
        let mut broken = Blocks::growing(&text[..], Position::START, SMALL, Tracker::default());
        let (mut one, mut other) = (Block::default(), Block::default());
        loop {
            let some = whole.next(&mut one);
            prop_assert_eq!(some, broken.next(&mut other));
            if !some {
                break;
            }
            prop_assert_eq!(String::from_utf8_lossy(one.text()), String::from_utf8_lossy(other.text()));
            prop_assert_eq!(one.offset, other.offset);
            let place = |block: &Block| block.document.as_ref().map(|document| document.place(0));
            prop_assert_eq!(place(&one), place(&other));
            let position = broken.position();
            prop_assert_eq!(position, whole.position());
            let position = serde_json::from_str(&serde_json::to_string(&position).expect("JSON")).expect("a position");
            broken = Blocks::growing(&text[broken.position().byte() as usize..], position, SMALL, Tracker::default());
        }
        prop_assert_eq!(whole.finish_line(&mut one), broken.finish_line(&mut other));
        prop_assert_eq!(one.text(), other.text());
        prop_assert_eq!(whole.position().byte(), text.len() as u64);
    }
}

#[test]
fn a_growing_reader_waits_for_the_newline() {
    struct Growing(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);
    impl Read for Growing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let mut bytes = self.0.borrow_mut();
            let n = bytes.len().min(buffer.len());
            buffer[..n].copy_from_slice(&bytes[..n]);
            bytes.drain(..n);
            Ok(n)
        }
    }
    let file = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let mut blocks = Blocks::growing(Growing(std::rc::Rc::clone(&file)), Position::START, SMALL, Tracker::default());
    let mut block = Block::default();
    for (arrives, handed_out) in [("", ""), ("on", ""), ("e\ntw", "one\n"), ("o", ""), ("\n", "two\n"), ("th", "")] {
        file.borrow_mut().extend_from_slice(arrives.as_bytes());
        assert_eq!(blocks.next(&mut block), !handed_out.is_empty());
        assert_eq!(block.text(), handed_out.as_bytes());
    }
    assert_eq!((blocks.position().offset, blocks.position().line), (8, 3));
    assert!(blocks.finish_line(&mut block));
    assert_eq!((block.text(), blocks.position().offset), (&b"th"[..], 10));
    assert!(!blocks.finish_line(&mut block));
}

#[test]
fn an_eager_reader_hands_over_each_line_as_it_comes() {
    let mut blocks = Blocks::new(Pieces(vec![b"one\ntw".into(), b"o\n".into()]), true, SMALL, Tracker::default());
    let mut block = Block::default();
    assert!(blocks.next(&mut block));
    assert_eq!(block.text(), b"one\n");
    assert!(blocks.next(&mut block));
    assert_eq!((block.text(), block.first_line, block.offset), (&b"two\n"[..], 2, 4));
    assert!(!blocks.next(&mut block));
}
