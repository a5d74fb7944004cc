use bank::AccountConstraint;

fn message(constraint: AccountConstraint) -> &'static str {
    match constraint {
        AccountConstraint::Pkey | AccountConstraint::UsernameKey => "taken",
        AccountConstraint::BalanceCheck => "not enough money",
    }
}

fn main() {
    message(AccountConstraint::Pkey);
}
