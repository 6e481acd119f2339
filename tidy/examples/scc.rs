//! temporary
use std::collections::*;
use tidy::imports::*; use tidy::files;
fn main(){ let files=files(&[".rs","Cargo.toml"]); for folder in std::env::args().skip(1){ let g=Imports::of_crate(&folder,&files).graph();
 // edges within SCCs via reachability
 let reach=|s:&Module|{let mut seen=BTreeSet::new();let mut st=vec![s.clone()];while let Some(m)=st.pop(){for n in g.get(&m).into_iter().flatten(){if seen.insert(n.clone()){st.push(n.clone());}}}seen};
 let r:BTreeMap<_,_>=g.keys().map(|k|(k.clone(),reach(k))).collect();
 for (a,bs) in &g{for b in bs{ if r[b].contains(a){println!("{folder}: {} -> {}",a.join("::"),b.join("::"));}}}}}
