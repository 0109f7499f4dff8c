//! Rounds in alternating order: what disturbs a shared machine then disturbs every side.

/// One side of a comparison: each call measures once and returns its figures.
pub(crate) type Side<'a> = &'a mut dyn FnMut() -> Vec<f64>;

/// Runs every side once a round, the order reversed each time, and returns the medians of each side's figures.
pub(crate) fn medians(rounds: usize, sides: &mut [Side<'_>]) -> Vec<Vec<f64>> {
    let mut figures: Vec<Vec<Vec<f64>>> = vec![Vec::new(); sides.len()];
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..sides.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for side in order {
            figures[side].push((sides[side])());
        }
    }
    figures.into_iter().map(median_of_each).collect()
}

fn median_of_each(rounds: Vec<Vec<f64>>) -> Vec<f64> {
    (0..rounds[0].len())
        .map(|figure| {
            let mut of_rounds: Vec<f64> = rounds.iter().map(|round| round[figure]).collect();
            of_rounds.sort_by(f64::total_cmp);
            of_rounds[of_rounds.len() / 2]
        })
        .collect()
}
