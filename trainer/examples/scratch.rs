//! scratch
use charcell::text::Corpus;
use charcell::*;
fn main() {
    let mut args = std::env::args().skip(1);
    let run = RunFolder::open(args.next().unwrap().into()).unwrap().model().unwrap();
    let corpus = Corpus::read(
        &[args.next().unwrap().into()],
        run.normalisation,
        Some(args.next().unwrap().parse().unwrap()),
    )
    .unwrap();
    let mut out = vec![];
    for w in [Weights::F32, Weights::Int8] {
        let a = artifact(&run, w).unwrap();
        let m = a.model().unwrap();
        let mut c = vec![];
        m.predict_each(corpus.tokens(), |p, _| c.push(first_choice(p)));
        out.push((evaluate(&m, corpus.tokens()).perplexity, c));
    }
    let same = out[0].1.iter().zip(&out[1].1).filter(|(a, b)| a == b).count();
    println!(
        "factor {:.5} agreement {:.5}",
        out[1].0 / out[0].0,
        same as f64 / out[0].1.len() as f64
    );
}
